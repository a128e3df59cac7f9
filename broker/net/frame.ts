/**
 * Frames of the Kafka protocol: an int32 size, then that many bytes.
 *
 * Invariant: whatever sizes a peer claims, memory held for an incomplete frame is at most a small constant plus four
 * times the bytes that really arrived, and never more than the claimed frame. The splitter belongs to one connection.
 */

/** The size of a frame is negative, or above the bound of this connection. */
export class FrameSizeError extends Error {
  /** As the peer claimed it. */
  readonly frameBytes: number
  /** The first bytes that arrived, size included, for telling what protocol the peer speaks. */
  readonly opening: Buffer

  constructor(frameBytes: number, frameBytesMax: number, opening: Buffer) {
    super(frameBytes < 0 ? `frame with negative size ${frameBytes}` : `frame of ${frameBytes} bytes, allowed are ${frameBytesMax}`)
    this.name = 'FrameSizeError'
    this.frameBytes = frameBytes
    this.opening = opening
  }
}

const SIZE_BYTES = 4
/** Allocated at once for a frame that arrives in pieces; a larger one grows as bytes arrive. */
const FIRST_ALLOCATION_BYTES = 64 * 1024
const GROWTH_FACTOR = 4
const NOTHING = Buffer.alloc(0)

export class FrameSplitter {
  #frameBytesMax: number
  /** Bytes of a size that was cut by the end of a chunk; fewer than four. */
  #sizePart: Buffer = NOTHING
  #frame: Buffer | null = null
  #frameBytes = 0
  #filled = 0

  constructor(options: { readonly frameBytesMax: number }) {
    this.#frameBytesMax = options.frameBytesMax
  }

  /** Holds for frames whose size has not been read yet. */
  setFrameBytesMax(frameBytesMax: number): void {
    this.#frameBytesMax = frameBytesMax
  }

  /** Memory held for the incomplete frame. */
  get heldBytes(): number {
    return this.#frame === null ? this.#sizePart.length : this.#frame.length
  }

  /** Whether a frame has begun and not ended. */
  get isPartial(): boolean {
    return this.#frame !== null || this.#sizePart.length > 0
  }

  /**
   * Calls `onFrame` for each frame completed by `chunk`, in order. A frame that lies within the chunk is a view of it.
   * `onFrame` returns `false` to stop (the connection has closed). Throws a `FrameSizeError` for a size out of bounds,
   * after the frames before it were delivered.
   */
  push(chunk: Buffer, onFrame: (frame: Buffer) => boolean | void): void {
    let position = 0
    if (this.#frame !== null) {
      position = this.#fill(chunk, 0)
      if (this.#filled < this.#frameBytes) return
      if (onFrame(this.#takeFrame()) === false) return
    }
    let rest = chunk
    if (this.#sizePart.length > 0) {
      rest = Buffer.concat([this.#sizePart, chunk.subarray(position)])
      position = 0
      this.#sizePart = NOTHING
    }
    while (rest.length - position >= SIZE_BYTES) {
      const frameBytes = rest.readInt32BE(position)
      if (frameBytes < 0 || frameBytes > this.#frameBytesMax) {
        throw new FrameSizeError(frameBytes, this.#frameBytesMax, rest.subarray(position, position + 64))
      }
      const start = position + SIZE_BYTES
      const end = start + frameBytes
      if (end > rest.length) {
        this.#begin(frameBytes, rest.subarray(start))
        return
      }
      position = end
      if (onFrame(rest.subarray(start, end)) === false) return
    }
    // Copied: a view of three bytes would keep the whole chunk alive.
    if (position < rest.length) this.#sizePart = Buffer.from(rest.subarray(position))
  }

  #begin(frameBytes: number, content: Buffer): void {
    this.#frameBytes = frameBytes
    this.#filled = 0
    this.#frame = Buffer.allocUnsafeSlow(Math.min(frameBytes, Math.max(FIRST_ALLOCATION_BYTES, content.length * GROWTH_FACTOR)))
    this.#fill(content, 0)
  }

  /** Takes from `chunk` what the frame still lacks; returns the position behind it. */
  #fill(chunk: Buffer, position: number): number {
    const taken = Math.min(chunk.length - position, this.#frameBytes - this.#filled)
    const needed = this.#filled + taken
    let frame = this.#frame as Buffer
    if (needed > frame.length) {
      const grown = Buffer.allocUnsafeSlow(Math.min(this.#frameBytes, Math.max(needed, frame.length * GROWTH_FACTOR)))
      frame.copy(grown, 0, 0, this.#filled)
      this.#frame = frame = grown
    }
    chunk.copy(frame, this.#filled, position, position + taken)
    this.#filled = needed
    return position + taken
  }

  #takeFrame(): Buffer {
    const frame = this.#frame as Buffer
    this.#frame = null
    return frame
  }
}

export function byteCount(chunks: readonly Uint8Array[]): number {
  let total = 0
  for (const chunk of chunks) total += chunk.length
  return total
}
