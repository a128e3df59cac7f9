/** Why a cluster does not answer, said precisely: one reason of a closed list, a sentence, and what to do. */
import { ClientError, type ClientErrorCode } from '../../client/error.ts'
import type { UnreachableReason } from '../../contract/clusters.ts'

export interface Unreachable {
  readonly reason: UnreachableReason
  readonly message: string
  readonly advice: string
}

const reasons: Readonly<Partial<Record<ClientErrorCode, UnreachableReason>>> = {
  HOST_NOT_FOUND: 'name-not-found',
  CONNECTION_REFUSED: 'refused',
  CONNECT_TIMED_OUT: 'timed-out',
  DEADLINE_EXCEEDED: 'timed-out',
  NOT_KAFKA: 'not-kafka',
  MALFORMED_REPLY: 'not-kafka',
  TLS_EXPECTED: 'tls-or-sasl-expected',
  AUTHENTICATION_REQUIRED: 'tls-or-sasl-expected',
  AUTHENTICATION_FAILED: 'tls-or-sasl-expected',
  UNSUPPORTED_VERSION: 'version-unsupported',
  CONNECTION_LOST: 'connection-lost',
}

const advices: Readonly<Record<UnreachableReason, string>> = {
  'name-not-found': 'Check the spelling of the host name and that this machine can resolve it.',
  refused: 'Check the port, and that the broker is running.',
  'timed-out': 'Check the address and any firewall in between; a frozen broker looks the same.',
  'not-kafka': "Check the port: this is not a Kafka broker's plaintext listener.",
  'tls-or-sasl-expected': 'Use the port of a plaintext listener; this one wants TLS or a login.',
  'advertised-unreachable': "The broker's advertised.listeners must name an address this machine can reach.",
  'version-unsupported': 'Weir needs brokers of Apache Kafka 2.1 or newer.',
  'connection-lost': 'Weir connects again by itself.',
  'no-broker-running': 'Start a broker under Brokers.',
  other: 'Weir tries again by itself.',
}

/** The most telling of several failures: what one bootstrap address answered says more than that another one is down. */
const telling: readonly UnreachableReason[] = [
  'tls-or-sasl-expected',
  'version-unsupported',
  'not-kafka',
  'advertised-unreachable',
  'connection-lost',
  'refused',
  'timed-out',
  'name-not-found',
  'other',
]

export function explainUnreachable(error: unknown): Unreachable {
  if (!(error instanceof ClientError)) {
    return { reason: 'other', message: error instanceof Error ? error.message : String(error), advice: advices.other }
  }
  const causes = error.failures.length > 0 ? error.failures : [error]
  const ranked = [...causes].sort((a, b) => telling.indexOf(reasonOf(a)) - telling.indexOf(reasonOf(b)))
  const first = ranked[0] ?? error
  const reason = reasonOf(first)
  const others = causes.length > 1 ? ` (${causes.length} addresses tried, none answers)` : ''
  // What to look at is the advice's to say: a question at the end of the message would be asked twice.
  const statement = first.message.replace(/ [^.?]+\?$/, '').replace(/\.$/, '')
  return { reason, message: `${statement}${others}.`, advice: advices[reason] }
}

export function noBrokerRunning(name: string): Unreachable {
  return { reason: 'no-broker-running', message: `No broker of ${name} is running.`, advice: advices['no-broker-running'] }
}

export function adviceFor(reason: UnreachableReason): string {
  return advices[reason]
}

function reasonOf(error: ClientError): UnreachableReason {
  return reasons[error.code] ?? 'other'
}
