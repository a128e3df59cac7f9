import fc from 'fast-check'
import { expect, test } from 'vitest'
import { messageBytesMax } from '../../../../broker/host/transports/host-port.ts'
import { encodeFrame, FrameCollector } from '../../../../broker/host/transports/socket-frames.ts'

test('messages survive any cutting of the stream', () => {
  const message = fc.oneof(fc.string({ unit: 'binary' }), fc.uint8Array())
  fc.assert(
    fc.property(fc.array(message, { maxLength: 5 }), fc.integer({ min: 1, max: 7 }), (messages, step) => {
      const stream = Buffer.concat(messages.flatMap((one) => encodeFrame(one)))
      const frames = new FrameCollector()
      const got: (string | Uint8Array)[] = []
      for (let at = 0; at < stream.length; at += step) got.push(...frames.push(stream.subarray(at, at + step)))
      expect(got).toEqual(messages.map((one) => (typeof one === 'string' ? Buffer.from(one).toString() : one)))
    }),
  )
})

test('a length or kind that cannot be is refused before anything is kept for it', () => {
  const frame = (length: number, kind: number): Buffer => {
    const bytes = Buffer.alloc(8)
    bytes.writeUInt32BE(length, 0)
    bytes.writeUInt8(kind, 4)
    return bytes
  }
  expect(() => new FrameCollector().push(frame(messageBytesMax + 1, 0))).toThrow(RangeError)
  expect(() => new FrameCollector().push(frame(0, 0))).toThrow(RangeError)
  expect(() => new FrameCollector().push(frame(2, 9))).toThrow(/kind 9/)
})
