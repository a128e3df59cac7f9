import type { ClusterState } from '../../broker/contract/clusters.ts'
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
