/**
 * The replies of one connection, in the order of its requests.
 *
 * Invariant: a reply leaves only when every request before it has been answered (or needs no answer). Owned by its
 * connection, which bounds how many requests it lets in.
 */
import { byteCount } from './frame.ts'
import type { Reply } from './types.ts'

/** The place of one request's reply. */
export interface ReplySlot {
  readonly frameBytes: number
  reservedBytes: number
  /** `undefined` until answered. */
  reply: Reply | null | undefined
  replyBytes: number
}

export class ReplyQueue {
  #slots: ReplySlot[] = []
  #frameBytes = 0
  #reservedBytes = 0
  #heldBytes = 0

  /** Requests not yet answered, or answered and waiting for those before them. */
  get count(): number {
    return this.#slots.length
  }

  /** Bytes of the requests in it. */
  get frameBytes(): number {
    return this.#frameBytes
  }

  /** Bytes of answers waiting for others, and what is expected of those still coming. */
  get expectedBytes(): number {
    return this.#heldBytes + this.#reservedBytes
  }

  /** Bytes of answers waiting for others. */
  get heldBytes(): number {
    return this.#heldBytes
  }

  open(frameBytes: number): ReplySlot {
    const slot: ReplySlot = { frameBytes, reservedBytes: 0, reply: undefined, replyBytes: 0 }
    this.#slots.push(slot)
    this.#frameBytes += frameBytes
    return slot
  }

  /** Expects so much of a reply that has not come yet. */
  reserve(slot: ReplySlot, bytes: number): void {
    if (slot.reply !== undefined) return
    slot.reservedBytes = bytes
    this.#reservedBytes += bytes
  }

  answer(slot: ReplySlot, reply: Reply | null): void {
    if (slot.reply !== undefined) throw new Error('a request was answered twice')
    this.#reservedBytes -= slot.reservedBytes
    slot.reply = reply
    if (reply === null) return
    slot.replyBytes = byteCount(reply.chunks)
    this.#heldBytes += slot.replyBytes
  }

  /**
   * Moves what may leave now to `output`. Stops behind a reply that asks for more than being sent, to mute or to close
   * the connection, and returns it.
   */
  takeReady(output: { push(chunk: Uint8Array): void }): Reply | null {
    let special: Reply | null = null
    let taken = 0
    for (const slot of this.#slots) {
      const reply = slot.reply
      if (reply === undefined) break
      taken++
      this.#frameBytes -= slot.frameBytes
      if (reply === null) continue
      this.#heldBytes -= slot.replyBytes
      for (const chunk of reply.chunks) output.push(chunk)
      if ((reply.throttleTimeMs ?? 0) > 0 || reply.closeReason !== undefined) {
        special = reply
        // What follows waits: after a closing reply nothing is sent, after a throttled one nothing until it is over.
        break
      }
    }
    if (taken === 1) this.#slots.shift()
    else if (taken > 1) this.#slots.splice(0, taken)
    return special
  }
}
