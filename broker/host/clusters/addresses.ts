import { HostError } from '../problem.ts'

const defaultPort = 9092

/**
 * What a person typed as bootstrap servers, as `host:port` each: commas and blanks separate, 9092 is the default port,
 * IPv6 stands in brackets. Throws `ADDRESS_INVALID` naming the one that is not an address.
 */
export function parseBootstrapServers(typed: readonly string[]): readonly string[] {
  const parts = typed.flatMap((entry) => entry.split(/[\s,]+/)).filter((part) => part !== '')
  if (parts.length === 0) {
    throw new HostError('ADDRESS_INVALID', 'No address was given.', { subject: 'bootstrapServers', advice: 'Give at least one host:port.' })
  }
  return [...new Set(parts.map(parseAddress))]
}

function parseAddress(part: string): string {
  const bare = part.replace(/^PLAINTEXT:\/\//i, '')
  const match = /^(\[[0-9A-Fa-f:.%]+\]|[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?\.?)(?::(\d{1,5}))?$/.exec(bare)
  const port = match?.[2] === undefined ? defaultPort : Number(match[2])
  if (match === null || port < 1 || port > 65_535) {
    throw new HostError('ADDRESS_INVALID', `"${part}" is not an address.`, {
      subject: part,
      advice: 'Write it as host:port, as in kafka.example.com:9092, or [::1]:9092.',
    })
  }
  return `${match[1]}:${port}`
}
