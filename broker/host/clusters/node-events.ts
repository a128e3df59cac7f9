import type { Env } from '../../env/types.ts'
import type { EmbeddedCluster, NodeView } from '../../runtime/types.ts'
import type { Journal } from '../journal.ts'
import type { ClusterSession } from './session.ts'

/** Writes every change of a node's state down, and has the cluster looked at when one comes or goes. */
export function followNodes(
  env: Env,
  journal: Journal,
  session: ClusterSession,
  cluster: EmbeddedCluster,
  refresh: () => void,
): () => void {
  let before = new Map(cluster.nodes().map((node) => [node.id, node]))
  return cluster.onChange((nodes) => {
    for (const node of nodes) {
      const was = before.get(node.id)
      if (was?.state === node.state) continue
      session.nodeSinceMs.set(node.id, env.clock.nowMs())
      const subject = `${node.role} ${node.id}`
      journal.event({
        clusterId: session.id,
        action: 'node.state',
        subject,
        summary: nodeSentence(node),
        before: was?.state,
        after: node.state,
      })
    }
    before = new Map(nodes.map((node) => [node.id, node]))
    session.changes.emit()
    refresh()
  })
}

/** A process that a signal ended did not stop: whoever sent it, it was killed. */
export function nodeSentence(node: Pick<NodeView, 'id' | 'role' | 'state' | 'exit'>): string {
  const who = `${node.role === 'broker' ? 'Broker' : 'Controller'} ${node.id}`
  const signal = node.exit?.signal ?? null
  if (node.state === 'stopped' && signal !== null) return `${who} was killed (${signal}).`
  if (node.state !== 'crashed') return `${who} is ${node.state}.`
  return `${who} ended unasked (${signal ?? `code ${node.exit?.code ?? 'unknown'}`}).`
}
