/** Clients connected to an embedded cluster: does it see my service? Kafka's protocol cannot tell; Weir's brokers do. */
import { procedure } from './base.ts'
import { ofCluster } from './common.ts'
import { streamOf } from './stream.ts'

/** Connections one event lists. */
export const connectionRowsMax = 500

export interface ConnectionView {
  /** Unique within the cluster while it is open. */
  readonly id: string
  readonly brokerId: number
  /** The client's own name; `null` until its first request, or when it has none. */
  readonly clientId: string | null
  /** From ApiVersions, as `librdkafka`; `null` for clients that do not say. */
  readonly library: string | null
  readonly libraryVersion: string | null
  /** `host:port` of the client's end. */
  readonly address: string
  readonly connectedMs: number
  readonly lastActiveMs: number
  /** Sent by the client; `null` until two samples exist. */
  readonly bytesInPerSecond: number | null
  readonly bytesOutPerSecond: number | null
  readonly requestsPerSecond: number | null
  /** The last error code a request of it was answered with. */
  readonly lastError: { readonly error: string; readonly api: string; readonly atMs: number } | null
  /** One of the console's own connections. */
  readonly isOwn: boolean
}

export interface ConnectionList {
  /** False on remote clusters: `connections` is then empty. */
  readonly isSupported: boolean
  /** Foreign clients first, then by client id; at most `connectionRowsMax`. */
  readonly connections: readonly ConnectionView[]
  readonly total: number
  readonly asOfMs: number
}

export const connectionsContract = {
  /** Once a second. */
  watch: procedure.input(ofCluster).output(streamOf<ConnectionList>()),
}
