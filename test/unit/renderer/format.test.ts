import { describe, expect, it } from 'vitest'
import {
  formatByteRate,
  formatBytes,
  formatCount,
  formatDuration,
  formatRate,
  formatShort,
  MISSING,
  plural,
} from '../../../renderer/lib/format.ts'

describe('numbers for people', () => {
  it('a missing value is a dash, never zero', () => {
    for (const format of [formatCount, formatShort, formatBytes, formatRate, formatByteRate, formatDuration]) {
      expect(format(null)).toBe(MISSING)
      expect(format(undefined)).toBe(MISSING)
    }
    expect(formatCount(0)).toBe('0')
  })

  it('the largest offset keeps every digit', () => {
    expect(formatCount(Number.MAX_SAFE_INTEGER)).toBe('9,007,199,254,740,991')
  })

  it('sizes are binary and carry their unit', () => {
    expect(formatBytes(0)).toBe('0 B')
    expect(formatBytes(1023)).toBe('1,023 B')
    expect(formatBytes(1024)).toBe('1.0 KiB')
    expect(formatBytes(1_048_576 * 30)).toBe('30 MiB')
  })

  it('a rate above zero never reads as none', () => {
    expect(formatRate(0)).toBe('0/s')
    expect(formatRate(0.01)).toBe('<0.1/s')
    expect(formatRate(0.4)).toBe('0.4/s')
    expect(formatRate(3_400)).toBe('3.4K/s')
  })

  it('a rate has as many decimals whatever its last digit is', () => {
    expect([1, 1.23, 9.94].map(formatRate)).toEqual(['1.0/s', '1.2/s', '9.9/s'])
    expect([9.95, 60, 59.9, 430.7, 999.4].map(formatRate)).toEqual(['10/s', '60/s', '60/s', '431/s', '999/s'])
    expect(formatRate(999.6)).toBe('1K/s')
  })

  it('spans show their two largest units', () => {
    expect(formatDuration(850)).toBe('850 ms')
    expect(formatDuration(4_200)).toBe('4.2 s')
    expect(formatDuration(200_000)).toBe('3 min 20 s')
    expect(formatDuration(7 * 86_400_000)).toBe('7 d')
  })

  it('one thing is singular', () => {
    expect(plural(1, 'partition')).toBe('1 partition')
    expect(plural(0, 'partition')).toBe('0 partitions')
  })
})
