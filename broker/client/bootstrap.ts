import type { Address } from '../env/types.ts'
import { ClientError } from './error.ts'

const DEFAULT_PORT = 9092

/** Reads "host", "host:port", "[v6]:port", optionally with a "PLAINTEXT://" before. Throws INVALID_ARGUMENT. */
export function parseBootstrapServers(servers: readonly string[] | string): Address[] {
  const texts = (typeof servers === 'string' ? servers.split(',') : servers).map((text) => text.trim()).filter((text) => text !== '')
  if (texts.length === 0) throw new ClientError('INVALID_ARGUMENT', 'No bootstrap server was given; write at least one as host:port.')
  return texts.map(parseServer)
}

function parseServer(text: string): Address {
  const match = /^(?:[A-Za-z_]+:\/\/)?(?:\[([0-9A-Fa-f:.%]+)\]|([^:/\s[\]]+))(?::(\d{1,5}))?$/.exec(text)
  const host = match?.[1] ?? match?.[2]
  const port = match?.[3] === undefined ? DEFAULT_PORT : Number(match[3])
  if (host === undefined || port < 1 || port > 65_535) {
    throw new ClientError('INVALID_ARGUMENT', `"${text}" is no bootstrap server; write host:port, an IPv6 address in brackets.`)
  }
  return { host, port }
}
