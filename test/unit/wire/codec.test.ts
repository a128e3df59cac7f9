import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeMessage, encodeInto, encodeMessage, encodeToBuffer } from '../../../broker/wire/codec.ts'
import { Writer } from '../../../broker/wire/writer.ts'
import { decodedForm, messageArbitrary } from '../../support/wire/arbitraries.ts'
import { allMessages, versionsOf } from '../../support/wire/messages.ts'
import { referenceCodec } from '../../support/wire/reference-codec.ts'
import { wireErrorOf } from '../../support/wire/wire-error.ts'

/** Samples are drawn from a fixed seed, so that a failure is the same failure tomorrow. */
const SEED = 4_3_0

describe.each(allMessages.map((message) => ({ name: message.name, message })))('$name', ({ message }) => {
  it('decodes what it encoded, in every version, and agrees with the reference codec byte for byte', () => {
    for (const version of versionsOf(message)) {
      const reference = referenceCodec(message, version)
      fc.assert(
        fc.property(messageArbitrary(message, version), (value) => {
          const buffer = encodeToBuffer(message, version, value)
          expect(buffer).toEqual(reference.encode(value))
          for (const capacityBytes of [0, buffer.length >> 1, Math.max(buffer.length - 1, 0)]) {
            const writer = new Writer(capacityBytes)
            encodeInto(writer, message, version, value)
            expect(Buffer.concat(writer.finish())).toEqual(buffer)
          }
          const decoded = decodeMessage(message, version, buffer)
          expect(decoded).toEqual(decodedForm(message, version, value))
          expect(decoded).toEqual(reference.decode(buffer))
          expect(encodeToBuffer(message, version, decoded as never)).toEqual(buffer)
        }),
        { numRuns: 12, seed: SEED },
      )
    }
  })

  it('refuses every truncation and any trailing byte', () => {
    for (const version of versionsOf(message)) {
      const [value] = fc.sample(messageArbitrary(message, version), { numRuns: 1, seed: SEED + version })
      const buffer = encodeToBuffer(message, version, value)
      const step = Math.max(1, Math.floor(buffer.length / 400))
      for (let length = 0; length < buffer.length; length += step) {
        expect(wireErrorOf(() => decodeMessage(message, version, buffer.subarray(0, length)))).not.toBe('nothing')
      }
      expect(wireErrorOf(() => decodeMessage(message, version, Buffer.concat([buffer, Buffer.from([0])])))).toBe('TRAILING_BYTES')
      expect(decodeMessage(message, version, Buffer.concat([buffer, Buffer.from([0])]), 0, 'ignore')).toEqual(
        decodedForm(message, version, value),
      )
    }
  })

  it('survives any bytes: a value or a WireError', () => {
    fc.assert(
      fc.property(fc.constantFrom(...versionsOf(message)), fc.uint8Array({ maxLength: 200 }), (version, bytes) => {
        expect(() => wireErrorOf(() => decodeMessage(message, version, Buffer.from(bytes)))).not.toThrow()
      }),
      { numRuns: 40, seed: SEED },
    )
  })

  it('has no version before its first nor after its last', () => {
    const versions = versionsOf(message)
    for (const version of [versions[0]! - 1, versions.at(-1)! + 1, NaN]) {
      expect(wireErrorOf(() => decodeMessage(message, version, Buffer.alloc(64)))).toBe('UNSUPPORTED_VERSION')
      expect(() => encodeMessage(message, version, {} as never)).toThrow(RangeError)
    }
  })
})
