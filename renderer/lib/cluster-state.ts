import type { ClusterState, ClusterView } from '../../broker/contract/clusters.ts'
import type { Tone } from './tone.ts'

export function clusterTone(state: ClusterState): Tone {
  switch (state.status) {
    case 'connected':
      return 'ok'
    case 'connecting':
      return 'busy'
    case 'unreachable':
      return 'bad'
  }
}

/** Why nothing can be changed at the moment, for the tooltip of what would; null when it can be. */
export function changeBlocker(isHostLost: boolean, cluster: ClusterView | null): string | null {
  if (isHostLost) return 'The Weir host does not answer.'
  if (cluster === null) return 'There is no cluster yet.'
  if (cluster.state.status === 'unreachable') return cluster.state.message
  return cluster.readOnly ? 'This connection is read-only. Allow changes to it in Settings.' : null
}
