/**
 * Connections of this node to the controllers' INTERNAL listeners: one per controller and purpose, opened when first needed,
 * opened anew after they broke.
 *
 * Fetches of the metadata log wait at the controller, and what is behind them on a connection waits with them, so they have
 * a connection of their own.
 */
import type { Env } from '../env/types.ts'
import { ChannelError } from '../net/channel-error.ts'
import { openRequestChannel, type ApiDefinition, type ExchangeOptions, type RequestChannel } from '../net/request-channel.ts'
import type { PeerIdentity } from '../net/types.ts'
import type { Decoded, Encodable } from '../wire/schema.ts'
import type { ControllerAddress } from './config.ts'

export type Purpose = 'fetch' | 'call'

export interface ControllerChannelsOptions {
  readonly identity: PeerIdentity
  readonly secret: string
  readonly controllers: readonly ControllerAddress[]
}

const CONNECT_TIMEOUT_MS = 2_000

export class ControllerChannels {
  readonly #env: Env
  readonly #options: ControllerChannelsOptions
  readonly #addresses = new Map<number, ControllerAddress>()
  readonly #channels = new Map<string, Promise<RequestChannel>>()
  #addressListeners: (() => void)[] = []
  #isClosed = false

  constructor(env: Env, options: ControllerChannelsOptions) {
    this.#env = env
    this.#options = options
    this.setAddresses(options.controllers)
  }

  /** Replaces what is known. Connections to addresses that changed are closed. */
  setAddresses(controllers: readonly ControllerAddress[]): void {
    for (const address of controllers) {
      const before = this.#addresses.get(address.id)
      this.#addresses.set(address.id, address)
      if (before !== undefined && (before.host !== address.host || before.port !== address.port)) this.#drop(address.id)
    }
    const listeners = this.#addressListeners
    this.#addressListeners = []
    for (const listener of listeners) listener()
  }

  address(id: number): ControllerAddress | undefined {
    return this.#addresses.get(id)
  }

  /** Calls `listener` once, when addresses are set next. */
  onceAddressesChange(listener: () => void): void {
    this.#addressListeners.push(listener)
  }

  /** Rejects with a `ChannelError`; CONNECT_FAILED while the controller's address is not known. */
  async request<A extends ApiDefinition>(
    to: { readonly id: number; readonly purpose: Purpose },
    api: A,
    version: number,
    body: Encodable<A['request']>,
    options: ExchangeOptions,
  ): Promise<Decoded<A['response']>> {
    const channel = await this.#channel(to.id, to.purpose)
    return channel.request(api, version, body, options)
  }

  close(): void {
    this.#isClosed = true
    for (const id of this.#addresses.keys()) this.#drop(id)
  }

  async #channel(id: number, purpose: Purpose): Promise<RequestChannel> {
    const key = `${id}/${purpose}`
    const known = this.#channels.get(key)
    if (known !== undefined) {
      const channel = await known
      if (channel.closedBy === null) return channel
    }
    // Others may have waited for the same broken one, and the first of them has opened the next.
    const current = this.#channels.get(key)
    return current === undefined || current === known ? this.#open(id, purpose, key) : current
  }

  #open(id: number, purpose: Purpose, key: string): Promise<RequestChannel> {
    const address = this.#addresses.get(id)
    if (this.#isClosed) throw new ChannelError('CLOSED', 'this node is stopping')
    if (address === undefined) throw new ChannelError('CONNECT_FAILED', `the address of controller ${id} is not known yet`)
    const opening = openRequestChannel(this.#env, {
      address,
      clientId: `${this.#options.identity.role}-${this.#options.identity.nodeId}`,
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      preamble: { identity: this.#options.identity, secret: this.#options.secret },
    })
    const forget = (): void => {
      if (this.#channels.get(key) === opening) this.#channels.delete(key)
    }
    this.#channels.set(key, opening)
    opening.then((channel) => channel.onClosed(forget), forget)
    return opening
  }

  #drop(id: number): void {
    for (const purpose of ['fetch', 'call'] as const) {
      const key = `${id}/${purpose}`
      const channel = this.#channels.get(key)
      this.#channels.delete(key)
      channel?.then(
        (open) => open.close('the connection is no longer needed'),
        () => undefined,
      )
    }
  }
}
