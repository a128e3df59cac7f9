/** Clients connected to an embedded cluster, asked of its brokers while somebody looks, with their rates. */
import type { ConnectionList, ConnectionView } from '../../contract/connections.ts'
import { connectionRowsMax } from '../../contract/connections.ts'
import type { Env } from '../../env/types.ts'
import type { EmbeddedCluster, NodeConnection } from '../../runtime/types.ts'
import { createChanges, type Changes } from '../rpc/changes.ts'
import { runRounds } from './loop.ts'

const watchedIntervalMs = 1_000
const unwatchedIntervalMs = 5_000
/** Of peers. Clients come by CLIENT, or by an extra listener for those elsewhere. */
const peerListener = 'INTERNAL'
/** What Weir's own connections call themselves begins so. */
const ownClientPrefix = 'weir-'

export interface ConnectionFacts {
  readonly changes: Pick<Changes, 'on'>
  list(): ConnectionList
  /** Of one broker; `null` before it has said. */
  countOf(brokerId: number): number | null
  /** Without the console's own; `null` before any broker has said. */
  foreignCount(): number | null
}

interface Sampled {
  readonly connection: NodeConnection
  readonly brokerId: number
  readonly view: ConnectionView
}

/** `embedded: null`: a remote cluster, of which nothing can be known. */
export function followConnections(env: Env, embedded: EmbeddedCluster | null, signal: AbortSignal): ConnectionFacts {
  const changes = createChanges()
  let byId = new Map<string, Sampled>()
  let answered = new Set<number>()
  let asOfMs = env.clock.nowMs()
  let sampledAtMs = 0

  async function sample(cluster: EmbeddedCluster): Promise<void> {
    const brokers = await cluster.connections()
    const nowMs = env.clock.monotonicMs()
    const seconds = sampledAtMs === 0 ? null : (nowMs - sampledAtMs) / 1_000
    const next = new Map<string, Sampled>()
    answered = new Set()
    for (const { nodeId, connections } of brokers) {
      if (connections === null) continue
      answered.add(nodeId)
      for (const connection of connections) {
        if (connection.listener === peerListener) continue
        const id = `${nodeId}-${connection.id}`
        const before = byId.get(id)?.connection
        next.set(id, { connection, brokerId: nodeId, view: viewOf(id, nodeId, connection, before, seconds, env.clock.nowMs()) })
      }
    }
    byId = next
    sampledAtMs = nowMs
    asOfMs = env.clock.nowMs()
    changes.emit()
  }

  const sampling = embedded === null ? null : runRounds(env, { intervalMs: watchedIntervalMs, signal, round: () => round(embedded) })

  async function round(cluster: EmbeddedCluster): Promise<number> {
    try {
      await sample(cluster)
    } catch (error) {
      env.log.write('debug', 'connections could not be listed', { error })
    }
    return changes.listenerCount > 0 ? watchedIntervalMs : unwatchedIntervalMs
  }

  return {
    // Whoever begins to look sees what is, not what was up to five seconds ago.
    changes: {
      on(listener) {
        sampling?.hurry()
        return changes.on(listener)
      },
    },
    list() {
      const all = [...byId.values()].map(({ view }) => view)
      all.sort(
        (a, b) => Number(a.isOwn) - Number(b.isOwn) || (a.clientId ?? '').localeCompare(b.clientId ?? '') || a.id.localeCompare(b.id),
      )
      return { isSupported: embedded !== null, connections: all.slice(0, connectionRowsMax), total: all.length, asOfMs }
    },
    countOf: (brokerId) => (answered.has(brokerId) ? [...byId.values()].filter((sampled) => sampled.brokerId === brokerId).length : null),
    foreignCount: () => (answered.size === 0 ? null : [...byId.values()].filter(({ view }) => !view.isOwn).length),
  }
}

function viewOf(
  id: string,
  brokerId: number,
  connection: NodeConnection,
  before: NodeConnection | undefined,
  seconds: number | null,
  nowMs: number,
): ConnectionView {
  const rate = (pick: (of: NodeConnection) => number): number | null =>
    before === undefined || seconds === null || seconds <= 0 ? null : Math.max(0, Math.round((pick(connection) - pick(before)) / seconds))
  return {
    id,
    brokerId,
    clientId: connection.clientId,
    library: connection.softwareName,
    libraryVersion: connection.softwareVersion,
    address: connection.remote,
    connectedMs: connection.connectedMs,
    lastActiveMs: connection.lastActivityMs,
    bytesInPerSecond: rate(({ bytesIn }) => bytesIn),
    bytesOutPerSecond: rate(({ bytesOut }) => bytesOut),
    requestsPerSecond: rate(({ requests }) => requests),
    lastError: connection.lastError === null ? null : errorOf(connection.lastError, nowMs),
    isOwn: connection.clientId?.startsWith(ownClientPrefix) ?? false,
  }
}

/** Brokers say `API: ERROR`, or the error alone. */
function errorOf(text: string, atMs: number): ConnectionView['lastError'] {
  const match = /^(\w+): (.+)$/.exec(text)
  return { error: match?.[2] ?? text, api: match?.[1] ?? '', atMs }
}
