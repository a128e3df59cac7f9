import type { Connection } from '../env/types.ts'

/**
 * The bytes of one turn, gathered into one write.
 *
 * What the socket still holds counts as unsent only while it has asked to wait: only then will it say when that is gone.
 */
export class Outbox {
  readonly #socket: Connection
  #chunks: Uint8Array[] = []
  #bytes = 0
  #awaitsDrain = false

  constructor(socket: Connection) {
    this.#socket = socket
  }

  get isEmpty(): boolean {
    return this.#chunks.length === 0
  }

  /** Not yet taken by the kernel, and sure to be told of. */
  get unsentBytes(): number {
    return this.#bytes + (this.#awaitsDrain ? this.#socket.pendingBytes : 0)
  }

  /** Not yet taken by the kernel. */
  get heldBytes(): number {
    return this.#bytes + this.#socket.pendingBytes
  }

  push(chunk: Uint8Array): void {
    this.#chunks.push(chunk)
    this.#bytes += chunk.length
  }

  /** Writes everything gathered; returns how many bytes that were. */
  flush(): number {
    const bytes = this.#bytes
    if (bytes === 0) return 0
    const chunks = this.#chunks
    this.clear()
    this.#awaitsDrain = !this.#socket.write(chunks)
    return bytes
  }

  /** The kernel has taken everything. */
  onDrain(): void {
    this.#awaitsDrain = false
  }

  clear(): void {
    this.#chunks = []
    this.#bytes = 0
  }
}
