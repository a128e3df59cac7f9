/**
 * Messages on a byte stream: int32 length, one byte of kind (0 text, 1 bytes), content. The length counts what follows it.
 */
import { messageBytesMax } from './host-port.ts'

const lengthBytes = 4
const kinds = { text: 0, bytes: 1 } as const

export function encodeFrame(data: string | Uint8Array): readonly Uint8Array[] {
  const content = typeof data === 'string' ? Buffer.from(data, 'utf8') : data
  const head = Buffer.allocUnsafe(lengthBytes + 1)
  head.writeUInt32BE(content.length + 1, 0)
  head.writeUInt8(typeof data === 'string' ? kinds.text : kinds.bytes, lengthBytes)
  return [head, content]
}

/** Collects chunks into messages. Throws for a length or kind that cannot be; the connection is then of no more use. */
export class FrameCollector {
  private chunks: Buffer[] = []
  private bytes = 0

  push(chunk: Buffer): (string | Uint8Array)[] {
    this.chunks.push(chunk)
    this.bytes += chunk.length
    const messages: (string | Uint8Array)[] = []
    for (let message = this.take(); message !== null; message = this.take()) messages.push(message)
    return messages
  }

  private take(): string | Uint8Array | null {
    if (this.bytes < lengthBytes) return null
    const length = this.joined(lengthBytes).readUInt32BE(0)
    if (length < 1 || length > messageBytesMax) throw new RangeError(`a message of ${length} bytes`)
    if (this.bytes < lengthBytes + length) return null
    const all = this.joined(lengthBytes + length)
    const frame = all.subarray(lengthBytes, lengthBytes + length)
    const rest = all.subarray(lengthBytes + length)
    this.chunks = rest.length === 0 ? [] : [rest, ...this.chunks.slice(1)]
    this.bytes -= lengthBytes + length
    const kind = frame[0]
    if (kind === kinds.text) return frame.toString('utf8', 1)
    if (kind === kinds.bytes) return Uint8Array.from(frame.subarray(1))
    throw new RangeError(`a message of kind ${kind}`)
  }

  /** The first chunk, made to hold at least so many bytes. Joining is bounded by one message, and done once per message. */
  private joined(bytes: number): Buffer {
    const first = this.chunks[0]
    if (first !== undefined && first.length >= bytes) return first
    const all = Buffer.concat(this.chunks)
    this.chunks = [all]
    return all
  }
}
