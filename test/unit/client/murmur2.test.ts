import { describe, expect, it } from 'vitest'
import { murmur2, partitionOfKey } from '../../../broker/client/produce/murmur2.ts'

describe('murmur2', () => {
  // The vectors of Kafka's own UtilsTest.
  it.each([
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ])('hashes "%s" as Java does', (key, hash) => {
    expect(murmur2(Buffer.from(key))).toBe(hash)
  })

  it('hashes bytes above 127 as Java does', () => {
    expect(murmur2(Buffer.from('abc'))).toBe(479470107)
  })

  it('yields partitions in range, also for negative hashes', () => {
    for (const key of ['21', 'foobar', 'abc', '']) {
      const partition = partitionOfKey(Buffer.from(key), 7)
      expect(partition).toBeGreaterThanOrEqual(0)
      expect(partition).toBeLessThan(7)
    }
    expect(partitionOfKey(Buffer.from('21'), 1000)).toBe((-973932308 & 0x7fffffff) % 1000)
  })
})
