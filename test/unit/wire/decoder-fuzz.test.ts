import { expect, it } from 'vitest'
import { fuzzDecoder } from '../../fuzz/decoder.ts'

it('twenty thousand hostile frames end in a value or a WireError, in bounded memory', async () => {
  const report = await fuzzDecoder({ frames: 20_000, seed: 43 })
  const refused = Object.values(report.refused).reduce((total, count) => total + count, 0)
  expect(report.decoded + refused).toBe(20_000)
  // Neither side may be empty, or the fuzzer has gone blind.
  expect(report.decoded).toBeGreaterThan(1_000)
  expect(Object.keys(report.refused)).toEqual(
    expect.arrayContaining([
      'TRUNCATED',
      'TRAILING_BYTES',
      'TOO_MANY_ELEMENTS',
      'LENGTH_OUT_OF_RANGE',
      'MALFORMED_TAGS',
      'MALFORMED_RECORD',
    ]),
  )
})
