import { afterEach, describe, expect, it } from 'vitest'
import { formatAgo, formatMinute, formatTimestamp, parseMoment, setDisplayZone, toLocalInput } from '../../../renderer/lib/time.ts'

const moment = Date.UTC(2026, 10, 20, 14, 3, 7, 45)

describe('times', () => {
  afterEach(() => setDisplayZone('local'))

  it('UTC is shown when asked for, to the millisecond', () => {
    setDisplayZone('utc')
    expect(formatTimestamp(moment)).toBe('2026-11-20 14:03:07.045')
    expect(toLocalInput(moment)).toBe('2026-11-20T14:03:07.045')
  })

  it('a deadline is told to the minute, in the zone asked for', () => {
    setDisplayZone('utc')
    expect(formatMinute(moment)).toBe('2026-11-20 14:03')
  })

  it('local time is that of the machine', () => {
    const local = new Date(moment)
    expect(formatTimestamp(moment)).toContain(`${String(local.getHours()).padStart(2, '0')}:03:07.045`)
  })

  it('what is shown can be typed back', () => {
    for (const zone of ['utc', 'local'] as const) {
      setDisplayZone(zone)
      expect(parseMoment(formatTimestamp(moment), 0)).toBe(moment)
      expect(parseMoment(toLocalInput(moment), 0)).toBe(moment)
    }
  })

  it('epoch numbers, zones and spans back from now are understood', () => {
    expect(parseMoment('1763647387045', 0)).toBe(1_763_647_387_045)
    expect(parseMoment('1763647387', 0)).toBe(1_763_647_387_000)
    expect(parseMoment('2026-11-20T14:03:07Z', 0)).toBe(moment - 45)
    expect(parseMoment('15m', 1_000_000)).toBe(100_000)
    expect(parseMoment('-2h', 10_000_000)).toBe(2_800_000)
  })

  it('anything else is not a moment', () => {
    for (const text of ['', 'soon', '12', '2026', '2026-13-45', 'NaN']) expect(parseMoment(text, 0)).toBeNull()
  })

  it('how long ago is said in one unit, and the future too', () => {
    expect(formatAgo(1_000, 1_500)).toBe('now')
    expect(formatAgo(1_000, 31_000)).toBe('30 s ago')
    expect(formatAgo(10_000, 1_000)).toBe('in 9 s')
    expect(formatAgo(null, 1_000)).toBe('–')
  })
})
