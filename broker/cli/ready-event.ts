import type { EmbeddedCluster } from '../runtime/types.ts'

/** What `--json` prints: exactly one line, once every broker is unfenced and has taken a write with acks=all. */
export interface ReadyEvent {
  readonly event: 'ready'
  /** Weir's own process, the one to signal. */
  readonly pid: number
  readonly bootstrapServers: string
  /** With `--advertise`: what clients elsewhere are to be given, one for each address. */
  readonly advertised?: readonly string[]
  readonly brokers: readonly { readonly id: number; readonly pid: number | null; readonly port: number | null }[]
  /** Milliseconds since this process was started. */
  readonly readyMs: number
}

export function readyEvent(cluster: EmbeddedCluster): ReadyEvent {
  const brokers = cluster.nodes().filter(({ role }) => role === 'broker')
  return {
    event: 'ready',
    pid: process.pid,
    bootstrapServers: cluster.bootstrapServers,
    ...(cluster.advertised.length === 0 ? {} : { advertised: cluster.advertised }),
    brokers: brokers.map(({ id, pid, port }) => ({ id, pid, port })),
    readyMs: Math.round(performance.now()),
  }
}
