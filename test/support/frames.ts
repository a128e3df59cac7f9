/** Frames as a peer writes and reads them: a size, then so many bytes. */
import type { Connection } from '../../broker/env/types.ts'
import { FrameSplitter } from '../../broker/net/frame.ts'

export function framed(content: string | Uint8Array): Buffer {
  const bytes = Buffer.from(content)
  return frameClaiming(bytes.length, bytes)
}

/** A frame that gives a size of its own, true or not. */
export function frameClaiming(bytes: number, content: Uint8Array): Buffer {
  const size = Buffer.alloc(4)
  size.writeInt32BE(bytes)
  return Buffer.concat([size, content])
}

/** The client's end of a connection: sends frames, keeps those that come. */
export class FramedPeer {
  readonly replies: string[] = []
  isClosed = false
  readonly connection: Connection

  constructor(connection: Connection) {
    this.connection = connection
    const splitter = new FrameSplitter({ frameBytesMax: 1e9 })
    connection.setHandlers({
      onData: (chunk) => splitter.push(chunk, (frame) => void this.replies.push(frame.toString('latin1'))),
      onClose: () => {
        this.isClosed = true
      },
    })
  }

  send(...contents: (string | Buffer)[]): void {
    this.connection.write(contents.map(framed))
  }
}
