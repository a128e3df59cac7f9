/** The clusters the console knows: the embedded ones and remote connections. Plaintext connections. */
import { type } from '@orpc/contract'
import * as v from 'valibot'
import { procedure } from './base.ts'
import { clusterId, ofCluster } from './common.ts'
import { streamOf } from './stream.ts'

/** Why a cluster does not answer. */
export type UnreachableReason =
  /** No address could be found for the host name. */
  | 'name-not-found'
  /** Nothing listens on the port. */
  | 'refused'
  /** No answer within the deadline: a firewall, a wrong address, a frozen broker. */
  | 'timed-out'
  /** Something answers that does not speak Kafka's protocol. */
  | 'not-kafka'
  /** The broker closes the connection at once: it expects TLS or SASL on this port. */
  | 'tls-or-sasl-expected'
  /** The bootstrap address answers, but the address the brokers advertise cannot be reached from here. */
  | 'advertised-unreachable'
  /** The brokers are too old or too new for this client. */
  | 'version-unsupported'
  /** The connection broke while in use. */
  | 'connection-lost'
  /** Embedded: no broker is running. */
  | 'no-broker-running'
  | 'other'

export type ClusterState =
  | { readonly status: 'connecting'; readonly sinceMs: number }
  | { readonly status: 'connected'; readonly sinceMs: number }
  | {
      readonly status: 'unreachable'
      readonly sinceMs: number
      readonly reason: UnreachableReason
      /** What happened, to which address: one sentence. */
      readonly message: string
      /** What to do about it: one sentence. */
      readonly advice: string
      /** When the host tries again by itself. */
      readonly retryAtMs: number
    }

export interface ClusterView {
  readonly id: string
  /** Shown to people; unique. */
  readonly name: string
  /** `embedded`: its brokers are Weir's own processes and can be started, stopped and killed. */
  readonly kind: 'embedded' | 'remote'
  /** `host:port` each. */
  readonly bootstrapServers: readonly string[]
  /** The host refuses every change to it. */
  readonly readOnly: boolean
  readonly state: ClusterState
  /** The id the brokers report; `null` until first connected. */
  readonly kafkaClusterId: string | null
  /** `null` until first connected. */
  readonly brokerCount: number | null
}

/** One step of a connection test, in the order taken. */
export interface ConnectionTestStep {
  readonly step: 'resolve' | 'connect' | 'handshake' | 'metadata' | 'advertised'
  /** `host:port` it was tried on. */
  readonly address: string
  readonly ok: boolean
  readonly elapsedMs: number
  /** What was found, or what failed and what that means. */
  readonly message: string
}

export interface ConnectionTest {
  /** Whether the connection can be used. Some brokers may still be unreachable: see `steps`. */
  readonly ok: boolean
  readonly steps: readonly ConnectionTestStep[]
  /** Set when `ok` is false. */
  readonly failure: { readonly reason: UnreachableReason; readonly message: string; readonly advice: string } | null
  readonly kafkaClusterId: string | null
  readonly brokers: readonly { readonly id: number; readonly host: string; readonly port: number; readonly reachable: boolean }[]
  /** Of an ApiVersions request on the bootstrap address; `null` when none was answered. */
  readonly roundTripMs: number | null
  /** Set when an existing connection reaches the same Kafka cluster. */
  readonly sameAsClusterId: string | null
}

const clusterName = v.pipe(v.string(), v.trim(), v.minLength(1, 'is empty'), v.maxLength(60, 'is longer than 60 characters'))
/** `host:port`, `[::1]:port`; several separated by commas are fine in one entry. Checked by the host (`ADDRESS_INVALID`). */
const bootstrapServers = v.pipe(v.array(v.pipe(v.string(), v.trim(), v.maxLength(300))), v.minLength(1), v.maxLength(32))

export const clustersContract = {
  list: procedure.output(type<readonly ClusterView[]>()),
  /** All clusters, embedded first, then by name; an event whenever one changes. */
  watch: procedure.output(streamOf<readonly ClusterView[]>()),
  /** Tries an address without saving it. Never rejects for an unreachable one: that is the answer. At most 10 s. */
  test: procedure.input(v.object({ bootstrapServers })).output(type<ConnectionTest>()),
  /** Saves a connection, reachable or not, and starts connecting. `CLUSTER_NAME_TAKEN`, `ADDRESS_INVALID`. */
  add: procedure
    .input(v.object({ name: clusterName, bootstrapServers, readOnly: v.optional(v.boolean(), false) }))
    .output(type<ClusterView>()),
  /** Embedded clusters: only `readOnly`. */
  update: procedure
    .input(
      v.object({
        clusterId,
        name: v.optional(clusterName),
        bootstrapServers: v.optional(bootstrapServers),
        readOnly: v.optional(v.boolean()),
      }),
    )
    .output(type<ClusterView>()),
  /** Forgets a remote connection and its sampled history; the cluster itself is untouched. `confirmName`: its name. */
  remove: procedure.input(v.object({ clusterId, confirmName: v.string() })).output(type<null>()),
  /** Tries at once instead of at `retryAtMs`. */
  reconnect: procedure.input(ofCluster).output(type<ClusterView>()),
}
