/**
 * Holds the requests of clients until the node knows what it serves: a broker that has not caught up with the metadata
 * would tell them that their topics do not exist. Connections are accepted meanwhile; the listeners' bounds on requests
 * in flight bound what waits. What nodes say to each other is let through.
 */
import { INTERNAL_LISTENER } from '../api/context.ts'
import type { RequestHandler } from '../net/types.ts'

export interface StartGate {
  readonly handler: RequestHandler
  /** Lets everything through, from now on and what has waited. */
  open(): void
}

export function createStartGate(handler: RequestHandler): StartGate {
  const { promise: opened, resolve } = Promise.withResolvers<void>()
  let isOpen = false
  return {
    handler(frame, connection) {
      if (isOpen || connection.listenerName === INTERNAL_LISTENER) return handler(frame, connection)
      const handling = opened.then(() => handler(frame, connection))
      // A refusal is told once, by the reply.
      const ordered = handling.then(({ ordered }) => ordered ?? undefined).catch(() => undefined)
      return { ordered, reply: handling.then(({ reply }) => reply) }
    },
    open() {
      isOpen = true
      resolve()
    },
  }
}
