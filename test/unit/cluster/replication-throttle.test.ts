import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isThrottled, ReplicationThrottle } from '../../../broker/cluster/replication-throttle.ts'

describe('throttled replicas', () => {
  it('are all of a topic, or those named by partition and broker', () => {
    expect(isThrottled('*', 7, 3)).toBe(true)
    expect(isThrottled('0:1, 7:3', 7, 3)).toBe(true)
    expect(isThrottled('0:1,7:3', 7, 1)).toBe(false)
    expect(isThrottled('', 0, 1)).toBe(false)
    expect(isThrottled('17:3', 7, 3)).toBe(false)
  })
})

describe('the pauses', () => {
  it('keep what comes to the rate, but for the first second', () => {
    const part = fc.integer({ min: 1, max: 20_000 })
    fc.assert(
      fc.property(fc.array(part, { minLength: 50, maxLength: 100 }), fc.integer({ min: 10_000, max: 100_000 }), (parts, rate) => {
        const throttle = new ReplicationThrottle()
        let nowMs = 0
        let bytes = 0
        for (const size of parts) {
          bytes += size
          nowMs += throttle.spend(size, rate, nowMs)
          expect(bytes).toBeLessThanOrEqual(rate * (nowMs / 1_000 + 1) + 1)
        }
        expect(nowMs).toBeLessThanOrEqual((bytes / rate) * 1_000)
      }),
    )
  })

  it('are bounded, however low the rate', () => {
    expect(new ReplicationThrottle().spend(1_000_000, 1, 0)).toBe(10_000)
  })

  it('are none while little comes', () => {
    const throttle = new ReplicationThrottle()
    for (let second = 0; second < 10; second++) expect(throttle.spend(900, 1_000, second * 1_000)).toBe(0)
  })
})
