import type { ActivityAction } from '../../contract/activity.ts'
import type { NodeView } from '../../contract/nodes.ts'
import type { EmbeddedCluster, NodeView as RuntimeNode } from '../../runtime/types.ts'
import type { ClusterSession } from '../clusters/session.ts'
import { HostError } from '../problem.ts'
import { implementer } from '../rpc/implementer.ts'
import { within } from '../rpc/waiting.ts'
import type { HostServices } from '../services.ts'

const actionDeadlineMs = 30_000

type NodeAction = 'start' | 'stop' | 'kill' | 'restart' | 'pause' | 'resume'

/** What was done, for the journal. */
const phrases: Readonly<Record<NodeAction, string>> = {
  start: 'Started',
  stop: 'Stopped',
  kill: 'Killed',
  restart: 'Restarted',
  pause: 'Froze',
  resume: 'Resumed',
}

export function nodesRouter(services: HostServices) {
  const { clusters, streams } = services
  const os = implementer.nodes

  async function act(action: NodeAction, clusterId: string, nodeId: number): Promise<NodeView> {
    const session = clusters.get(clusterId)
    const cluster = session.demandEmbedded()
    session.demandWritable('Changing a node')
    const node = cluster.nodes().find(({ id }) => id === nodeId)
    if (node === undefined) throw new HostError('NODE_NOT_FOUND', `${session.name} has no node ${nodeId}.`, { subject: `node ${nodeId}` })
    const subject = `${node.role} ${nodeId}`
    const change = {
      clusterId,
      action: `node.${action}` as ActivityAction,
      subject,
      summary: `${phrases[action]} ${subject}.`,
      before: node.state,
    }
    const { result } = await services.journal.during(change, () => carryOut(services, cluster, action, nodeId, subject))
    return nodeView(session, result)
  }

  return {
    list: os.list.handler(({ input }) => nodeViews(clusters.get(input.clusterId))),
    watch: os.watch.handler(({ input, signal }) => {
      const session = clusters.get(input.clusterId)
      const cluster = session.demandEmbedded()
      return streams.state(
        { read: () => nodeViews(session), changes: { on: (listener) => cluster.onChange(listener) }, intervalMs: 20 },
        signal,
      )
    }),
    start: os.start.handler(({ input }) => act('start', input.clusterId, input.nodeId)),
    stop: os.stop.handler(({ input }) => act('stop', input.clusterId, input.nodeId)),
    kill: os.kill.handler(({ input }) => act('kill', input.clusterId, input.nodeId)),
    restart: os.restart.handler(({ input }) => act('restart', input.clusterId, input.nodeId)),
    pause: os.pause.handler(({ input }) => act('pause', input.clusterId, input.nodeId)),
    resume: os.resume.handler(({ input }) => act('resume', input.clusterId, input.nodeId)),
  }
}

async function carryOut(
  { env }: HostServices,
  cluster: EmbeddedCluster,
  action: NodeAction,
  nodeId: number,
  subject: string,
): Promise<RuntimeNode> {
  const node = await within(env, actionDeadlineMs, cluster[action](nodeId), null)
  if (node !== null) return node
  throw new HostError('TIMED_OUT', `${subject} has not reached the wished state within ${actionDeadlineMs / 1_000} s.`, {
    subject,
    advice: 'It may still get there: look at its state.',
  })
}

function nodeViews(session: ClusterSession): readonly NodeView[] {
  const nodes = [...session.demandEmbedded().nodes()].sort((a, b) => a.id - b.id)
  return nodes.map((node) => nodeView(session, node))
}

function nodeView(session: ClusterSession, node: RuntimeNode): NodeView {
  return {
    id: node.id,
    role: node.role,
    state: node.state,
    sinceMs: session.nodeSinceMs.get(node.id) ?? node.exit?.atMs ?? node.startedMs ?? 0,
    pid: node.pid,
    port: node.port,
    exit: node.exit === null ? null : { ...node.exit, reason: node.exit.reason ?? exitReason(node.exit) },
  }
}

function exitReason({ code, signal }: { readonly code: number | null; readonly signal: string | null }): string {
  if (signal !== null) return `Its process was ended by ${signal}.`
  return code === 0 ? 'Its process ended in order.' : `Its process ended with code ${code ?? 'unknown'}.`
}
