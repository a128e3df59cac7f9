/**
 * A connection that is ready for use: connected, versions agreed, authenticated.
 *
 *   connect -> negotiate -> authenticate -> ready
 *
 * A peer that hangs up on an ApiVersions version it does not know is connected to again with a lower one.
 */
import type { Address, Env } from '../env/types.ts'
import type { ChannelError } from '../net/channel-error.ts'
import { openRequestChannel } from '../net/request-channel.ts'
import type { ApiDefinition, ChannelOptions, RequestChannel } from '../net/request-channel.ts'
import type { Decoded, Encodable } from '../wire/schema.ts'
import { Call } from './call.ts'
import { ClientError } from './error.ts'
import type { Authenticator, CallOptions } from './types.ts'
import { apiVersionsLadder, negotiateVersions } from './versions.ts'
import type { SoftwareIdentity, VersionTable } from './versions.ts'

/** Where neither the call nor the client says. */
const REQUEST_TIMEOUT_MS = 30_000

export interface BrokerConnectionOptions extends SoftwareIdentity {
  readonly clientId: string
  readonly connectTimeoutMs: number
  readonly frameBytesMax?: number
  readonly inflightRequestsMax?: number
  readonly authenticate?: Authenticator
  /** For INTERNAL listeners of the embedded cluster. */
  readonly preamble?: ChannelOptions['preamble']
}

export type RequestBody<A extends ApiDefinition> = Encodable<A['request']> | ((version: number) => Encodable<A['request']>)

export interface VersionBounds {
  readonly minVersion?: number
  readonly maxVersion?: number
}

/** Connects and makes the connection ready. Rejects with a ClientError that says precisely what is wrong. */
export async function openBrokerConnection(
  env: Env,
  address: Address,
  options: BrokerConnectionOptions,
  callOptions: CallOptions = {},
): Promise<BrokerConnection> {
  const call = new Call(env, `Connecting to ${address.host}:${address.port}`, callOptions, options.connectTimeoutMs)
  let hungUp: ClientError | null = null
  for (const firstVersion of apiVersionsLadder) {
    const channel = await openChannel(env, address, options, call)
    try {
      const versions = await negotiateVersions(channel, options, firstVersion, call.attempt(options.connectTimeoutMs))
      const connection = new BrokerConnection(channel, versions)
      await options.authenticate?.(connection, call.attempt(options.connectTimeoutMs))
      connection.markReady()
      return connection
    } catch (error) {
      const failure = negotiationFailure(error, channel)
      channel.close('negotiation failed')
      // Only a hang-up without a word may mean "I do not know that version".
      if (failure.code !== 'CONNECTION_LOST' || channel.receivedBytes > 0) throw failure
      hungUp = failure
    }
  }
  throw hungUp as ClientError
}

async function openChannel(env: Env, address: Address, options: BrokerConnectionOptions, call: Call): Promise<RequestChannel> {
  const { timeoutMs, signal } = call.attempt(options.connectTimeoutMs)
  const { clientId, frameBytesMax, inflightRequestsMax, preamble } = options
  try {
    return await openRequestChannel(env, {
      address,
      clientId,
      connectTimeoutMs: timeoutMs,
      ...(signal && { signal }),
      ...(frameBytesMax && { frameBytesMax }),
      ...(inflightRequestsMax && { inflightRequestsMax }),
      ...(preamble && { preamble }),
    })
  } catch (error) {
    throw ClientError.from(error)
  }
}

function negotiationFailure(error: unknown, channel: RequestChannel): ClientError {
  const { address } = channel
  const failure = ClientError.from(error, { address })
  switch (failure.code) {
    case 'DEADLINE_EXCEEDED':
      return new ClientError(
        'CONNECT_TIMED_OUT',
        `${address} accepted the connection but did not answer. Is it a Kafka broker, and not paused or overloaded?`,
        { cause: error, address },
      )
    case 'CONNECTION_LOST':
      return new ClientError(
        'CONNECTION_LOST',
        `${address} closed the connection when asked for its versions. It may expect TLS, or be no Kafka broker.`,
        { cause: error, address },
      )
    case 'MALFORMED_REPLY':
      return new ClientError('NOT_KAFKA', `${address} is not a Kafka broker: its first answer cannot be read.`, { cause: error, address })
    default:
      return failure
  }
}

export class BrokerConnection {
  readonly versions: VersionTable
  readonly #channel: RequestChannel
  #isReady = false
  #hasAnswered = false

  constructor(channel: RequestChannel, versions: VersionTable) {
    this.#channel = channel
    this.versions = versions
  }

  get address(): string {
    return this.#channel.address
  }

  get isOpen(): boolean {
    return this.#channel.closedBy === null
  }

  get inflightCount(): number {
    return this.#channel.inflightCount
  }

  get lastUsedMs(): number {
    return this.#channel.lastUsedMs
  }

  /** The peer hung up on the first request after negotiation: what a listener that demands SASL does. */
  get wasRefusedUnanswered(): boolean {
    return this.#isReady && !this.#hasAnswered && this.#channel.closedBy?.code === 'CONNECTION_LOST'
  }

  markReady(): void {
    this.#isReady = true
  }

  onClosed(listener: (reason: ChannelError) => void): void {
    this.#channel.onClosed(listener)
  }

  /** At the highest version both speak, within the bounds. Rejects with a ClientError. */
  async request<A extends ApiDefinition>(
    api: A,
    body: RequestBody<A>,
    options: CallOptions & VersionBounds,
  ): Promise<Decoded<A['response']>> {
    const version = this.versions.pick(api, options)
    try {
      const reply = await this.#channel.request(api, version, bodyFor(body, version), {
        timeoutMs: options.timeoutMs ?? REQUEST_TIMEOUT_MS,
        ...(options.signal && { signal: options.signal }),
      })
      this.#hasAnswered = true
      return reply
    } catch (error) {
      throw ClientError.from(error, { api: api.name, address: this.address })
    }
  }

  /** Sends what is not answered. */
  send<A extends ApiDefinition>(api: A, body: RequestBody<A>, bounds: VersionBounds = {}): void {
    const version = this.versions.pick(api, bounds)
    try {
      this.#channel.send(api, version, bodyFor(body, version))
    } catch (error) {
      throw ClientError.from(error, { api: api.name, address: this.address })
    }
  }

  get isWritable(): boolean {
    return this.#channel.isWritable
  }

  onWritable(listener: () => void): void {
    this.#channel.onWritable(listener)
  }

  close(reason: string): void {
    this.#channel.close(reason)
  }
}

function bodyFor<A extends ApiDefinition>(body: RequestBody<A>, version: number): Encodable<A['request']> {
  return typeof body === 'function' ? (body as (version: number) => Encodable<A['request']>)(version) : body
}
