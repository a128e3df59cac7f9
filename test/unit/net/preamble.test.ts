import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodePreamble, encodePreamble } from '../../../broker/net/preamble.ts'
import { ConnectionRefused } from '../../../broker/net/types.ts'

const identity = { nodeId: 1001, role: 'controller' } as const
const frameOf = (sized: Buffer): Buffer => sized.subarray(4)

describe('the preamble of an INTERNAL connection', () => {
  it('carries the identity to whoever knows the secret', () => {
    const sized = encodePreamble(identity, 'geheim')
    expect(sized.readInt32BE(0)).toBe(sized.length - 4)
    expect(decodePreamble(frameOf(sized), 'geheim')).toEqual(identity)
  })

  it.each(['', 'geheiM', 'gehei', 'geheim!', 'x'])('is refused with the secret "%s"', (secret) => {
    expect(() => decodePreamble(frameOf(encodePreamble(identity, secret)), 'geheim')).toThrow(/wrong secret/)
  })

  it('is refused, and never read out of bounds, when it is anything else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
        expect(() => decodePreamble(Buffer.from(bytes), 'geheim')).toThrow(ConnectionRefused)
      }),
    )
  })

  it('is refused with any one byte of it changed, the identity excepted', () => {
    const frame = frameOf(encodePreamble(identity, 'geheim'))
    for (let at = 0; at < frame.length; at++) {
      if (at >= 5 && at < 10) continue
      const changed = Buffer.from(frame)
      changed[at] = (changed[at] as number) ^ 0x55
      expect(() => decodePreamble(changed, 'geheim')).toThrow(ConnectionRefused)
    }
  })
})
