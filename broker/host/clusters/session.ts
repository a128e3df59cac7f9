/**
 * One cluster as the host holds it: a client, what is known, and whether it answers.
 *
 *   connecting  -> connected:   metadata came
 *   connecting  -> unreachable: it did not, within its deadline
 *   connected   -> unreachable: two metadata rounds in a row failed
 *   unreachable -> connected:   a later round succeeded (backing off up to `retryPauseMaxMs`)
 *
 * A session never blocks another one: each has its own client, timers and deadlines.
 */
import type { KafkaClient } from '../../client/types.ts'
import type { ClusterState, ClusterView } from '../../contract/clusters.ts'
import type { Env } from '../../env/types.ts'
import type { EmbeddedCluster } from '../../runtime/types.ts'
import type { CreateClient } from '../client-factory.ts'
import { HostError } from '../problem.ts'
import { createChanges, type Changes } from '../rpc/changes.ts'
import { followConnections, type ConnectionFacts } from '../sampling/connection-sampler.ts'
import { createKnowledge, type ClusterKnowledge } from './knowledge.ts'
import { explainUnreachable, noBrokerRunning } from './reachability.ts'

export const retryPauseMs = 1_000
export const retryPauseMaxMs = 15_000
/** Failed rounds in a row until a connected cluster counts as unreachable. */
const failuresUntilUnreachable = 2

export interface SessionOptions {
  readonly id: string
  readonly name: string
  readonly readOnly: boolean
  readonly bootstrapServers: readonly string[]
  /** Set for clusters whose processes are Weir's own. */
  readonly embedded: EmbeddedCluster | null
  readonly createClient: CreateClient
}

export interface ClusterSession {
  readonly id: string
  readonly name: string
  readonly readOnly: boolean
  readonly embedded: EmbeddedCluster | null
  readonly bootstrapServers: readonly string[]
  readonly client: KafkaClient
  readonly knowledge: ClusterKnowledge
  /** Connected clients. */
  readonly connections: ConnectionFacts
  /** When each node of an embedded cluster entered its state; absent for those that have not changed since it was added. */
  readonly nodeSinceMs: Map<number, number>
  readonly state: ClusterState
  /** State, name, addresses, read-only. */
  readonly changes: Changes
  /** Aborts when the session closes. */
  readonly signal: AbortSignal
  view(): ClusterView
  /** Throws `CLUSTER_READ_ONLY`: to be called first in everything that changes something. */
  demandWritable(what: string): void
  /** The embedded cluster, or throws `CLUSTER_NOT_EMBEDDED`. */
  demandEmbedded(): EmbeddedCluster
  /** Told by the metadata sampler. Answers how long to pause before the next round when it failed. */
  succeeded(): void
  failed(error: unknown): number
  rename(changes: { name?: string; readOnly?: boolean }): void
  close(): Promise<void>
}

export function createSession(env: Env, options: SessionOptions): ClusterSession {
  const client = options.createClient(options.bootstrapServers)
  const knowledge = createKnowledge()
  const changes = createChanges()
  const closing = new AbortController()
  let { name, readOnly } = options
  let state: ClusterState = { status: 'connecting', sinceMs: env.clock.nowMs() }
  let failures = 0

  const session: ClusterSession = {
    id: options.id,
    get name() {
      return name
    },
    get readOnly() {
      return readOnly
    },
    embedded: options.embedded,
    bootstrapServers: options.bootstrapServers,
    client,
    knowledge,
    connections: followConnections(env, options.embedded, closing.signal),
    nodeSinceMs: new Map(),
    get state() {
      return state
    },
    changes,
    signal: closing.signal,
    view: () => ({
      id: options.id,
      name,
      kind: options.embedded === null ? 'remote' : 'embedded',
      bootstrapServers: options.bootstrapServers,
      readOnly,
      state,
      kafkaClusterId: knowledge.kafkaClusterId ?? options.embedded?.clusterId ?? null,
      brokerCount: knowledge.metadataAsOfMs === null ? null : knowledge.brokers.length,
    }),
    demandWritable(what) {
      if (!readOnly) return
      throw new HostError('CLUSTER_READ_ONLY', `${what} was refused: the connection to ${name} is read-only.`, {
        subject: name,
        advice: 'Allow changes in the connection settings of the cluster first.',
      })
    },
    demandEmbedded() {
      if (options.embedded !== null) return options.embedded
      throw new HostError('CLUSTER_NOT_EMBEDDED', `${name} is a remote cluster; Weir does not run its processes.`, { subject: name })
    },
    succeeded() {
      failures = 0
      if (state.status === 'connected') return
      state = { status: 'connected', sinceMs: env.clock.nowMs() }
      changes.emit()
    },
    failed(error) {
      failures += 1
      const pauseMs = Math.min(retryPauseMs * 2 ** Math.min(failures - 1, 10), retryPauseMaxMs)
      if (state.status === 'connected' && failures < failuresUntilUnreachable) return pauseMs
      const isDown = options.embedded?.nodes().every((node) => node.role !== 'broker' || node.state !== 'running') ?? false
      const why = isDown ? noBrokerRunning(name) : explainUnreachable(error)
      const sinceMs = state.status === 'unreachable' ? state.sinceMs : env.clock.nowMs()
      state = { status: 'unreachable', sinceMs, ...why, retryAtMs: env.clock.nowMs() + pauseMs }
      changes.emit()
      return pauseMs
    },
    rename(wished) {
      name = wished.name ?? name
      readOnly = wished.readOnly ?? readOnly
      changes.emit()
    },
    async close() {
      closing.abort()
      await client.close()
    },
  }
  return session
}
