/** Telling by its first bytes what a peer speaks, when that is not the Kafka protocol. */

const TLS_ALERT = 0x15
const TLS_HANDSHAKE = 0x16
const textProtocols: readonly (readonly [opening: RegExp, name: string])[] = [
  [/^(GET|HEAD|POST|PUT|DELETE|OPTIONS|PATCH|CONNECT|TRACE|HTTP)[ /]/, 'HTTP'],
  [/^PRI \* HTTP/, 'HTTP/2'],
  [/^SSH-/, 'SSH'],
  [/^(220|421|554)[ -]/, 'SMTP or FTP'],
  [/^[-+]\w+[ \r]/, 'Redis'],
]

/** A name for people, or `null` when the bytes give no hint. */
export function describeOpening(opening: Uint8Array): string | null {
  if (looksLikeTls(opening)) return 'TLS'
  const text = Buffer.from(opening.buffer, opening.byteOffset, Math.min(opening.length, 24)).toString('latin1')
  return textProtocols.find(([pattern]) => pattern.test(text))?.[1] ?? null
}

/** A TLS record of a version in use: an alert (a server spoken to in plaintext) or a handshake (a client that wants TLS). */
export function looksLikeTls(opening: Uint8Array): boolean {
  const [type, major, minor] = opening
  return (type === TLS_ALERT || type === TLS_HANDSHAKE) && major === 3 && minor !== undefined && minor <= 4
}
