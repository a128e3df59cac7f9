import { ORPCError, type ClientContext, type ClientLink, type ClientOptions } from '@orpc/client'
import type { ProblemCode } from '../../broker/contract/errors.ts'
import { readonly, ref, shallowRef, type Ref } from 'vue'

/**
 * One link for the life of the window, over connections that come and go. Invariant: `state` is `connected` exactly while `current` holds a usable link;
 * calls made before the first connection wait for it (bounded), calls made while it is lost fail at once, so that no page hangs.
 *
 *   connecting -> connected: a transport attached its link
 *   connected -> disconnected: the transport reported the loss
 *   disconnected -> connected: a transport attached again; `epoch` grows, and subscriptions resume on it
 */
export type ConnectionState = 'connecting' | 'connected' | 'disconnected'

const FIRST_CONNECTION_TIMEOUT_MS = 10_000

const HOST_LOST: ProblemCode = 'HOST_LOST'

export class ResumableLink implements ClientLink<ClientContext> {
  private readonly current = shallowRef<ClientLink<ClientContext> | null>(null)
  private readonly mutableState = ref<ConnectionState>('connecting')
  private readonly mutableEpoch = ref(0)
  private waiting: { resolve: () => void; reject: (error: Error) => void }[] = []

  readonly state: Readonly<Ref<ConnectionState>> = readonly(this.mutableState)
  readonly epoch: Readonly<Ref<number>> = readonly(this.mutableEpoch)

  attach(link: ClientLink<ClientContext>): void {
    this.current.value = link
    this.mutableState.value = 'connected'
    this.mutableEpoch.value += 1
    for (const waiter of this.waiting.splice(0)) waiter.resolve()
  }

  detach(): void {
    this.current.value = null
    this.mutableState.value = 'disconnected'
    for (const waiter of this.waiting.splice(0)) waiter.reject(disconnected())
  }

  async call(path: readonly string[], input: unknown, options: ClientOptions<ClientContext>): Promise<unknown> {
    if (this.mutableState.value === 'connecting') await this.firstConnection()
    const link = this.current.value
    if (!link) throw disconnected()
    return link.call(path, input, options)
  }

  private firstConnection(): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(disconnected()), FIRST_CONNECTION_TIMEOUT_MS)
      this.waiting.push({
        resolve: () => {
          clearTimeout(timer)
          resolve()
        },
        reject: (error) => {
          clearTimeout(timer)
          reject(error)
        },
      })
    })
  }
}

function disconnected(): Error {
  return new ORPCError(HOST_LOST, { message: 'The connection to the Weir host was lost.' })
}
