import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FrameSizeError, FrameSplitter } from '../../../broker/net/frame.ts'
import { framed } from '../../support/frames.ts'

const split = (splitter: FrameSplitter, chunks: readonly Buffer[]): Buffer[] => {
  const frames: Buffer[] = []
  for (const chunk of chunks) splitter.push(chunk, (frame) => void frames.push(Buffer.from(frame)))
  return frames
}

/** Cuts at every given position. */
const cut = (bytes: Buffer, positions: readonly number[]): Buffer[] => {
  const at = [0, ...positions.map((position) => position % (bytes.length + 1)).sort((one, other) => one - other), bytes.length]
  return at.slice(1).map((end, index) => bytes.subarray(at[index], end))
}

describe('the frame splitter', () => {
  it('finds the same frames however the bytes are cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 }),
        fc.array(fc.nat(), { maxLength: 60 }),
        (contents, cuts) => {
          const frames = split(new FrameSplitter({ frameBytesMax: 1000 }), cut(Buffer.concat(contents.map(framed)), cuts))
          expect(frames.map((frame) => frame.toString('hex'))).toEqual(contents.map((content) => Buffer.from(content).toString('hex')))
        },
      ),
    )
  })

  it('finds frames byte by byte, empty ones included', () => {
    const bytes = Buffer.concat([framed(Buffer.from('one')), framed(Buffer.alloc(0)), framed(Buffer.from('two'))])
    const frames = split(
      new FrameSplitter({ frameBytesMax: 10 }),
      [...bytes].map((byte) => Buffer.from([byte])),
    )
    expect(frames.map(String)).toEqual(['one', '', 'two'])
  })

  it('gives a frame that lies within a chunk as a view of it', () => {
    const chunk = framed(Buffer.from('content'))
    const frames: Buffer[] = []
    new FrameSplitter({ frameBytesMax: 10 }).push(chunk, (frame) => void frames.push(frame))
    expect(frames[0]?.buffer).toBe(chunk.buffer)
  })

  it.each([-1, -2147483648, 11, 2147483647])('refuses a frame of %i bytes, after delivering those before it', (size) => {
    const bad = Buffer.alloc(4)
    bad.writeInt32BE(size)
    const splitter = new FrameSplitter({ frameBytesMax: 10 })
    const frames: Buffer[] = []
    expect(() => splitter.push(Buffer.concat([framed(Buffer.from('good')), bad]), (frame) => void frames.push(frame))).toThrow(
      FrameSizeError,
    )
    expect(frames.map(String)).toEqual(['good'])
  })

  it('holds memory by what arrived, not by what was claimed', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3000 }), fc.integer({ min: 1, max: 200 }), (chunkBytes, chunkCount) => {
        const claimed = Buffer.alloc(4)
        claimed.writeInt32BE(100 * 1024 * 1024)
        const splitter = new FrameSplitter({ frameBytesMax: 100 * 1024 * 1024 })
        split(splitter, [claimed, ...Array.from({ length: chunkCount }, () => Buffer.alloc(chunkBytes))])
        expect(splitter.heldBytes).toBeLessThanOrEqual(64 * 1024 + 4 * chunkBytes * chunkCount)
      }),
      { numRuns: 50 },
    )
  })

  it('stops when told to', () => {
    const frames: string[] = []
    new FrameSplitter({ frameBytesMax: 10 }).push(Buffer.concat([framed(Buffer.from('one')), framed(Buffer.from('two'))]), (frame) => {
      frames.push(String(frame))
      return false
    })
    expect(frames).toEqual(['one'])
  })
})
