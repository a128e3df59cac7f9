import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isThrottled, ReplicationThrottle, throttledReplicasProblem } from '../../../broker/cluster/replication-throttle.ts'

describe('throttled replicas', () => {
  it('are all of a topic, or those named by partition and broker', () => {
    expect(isThrottled('*', 7, 3)).toBe(true)
    expect(isThrottled('0:1, 7:3', 7, 3)).toBe(true)
    expect(isThrottled('0:1,7:3', 7, 1)).toBe(false)
    expect(isThrottled('', 0, 1)).toBe(false)
    expect(isThrottled('17:3', 7, 3)).toBe(false)
  })

  it.each(['', '*', ' * ', '0:1', '0:1, 7:3'])('may be %j', (list) => expect(throttledReplicasProblem('x', list)).toBeNull())
  it.each(['all', '0', '0:1;7:3', '*,0:1', '-1:2'])('may not be %j', (list) => {
    expect(throttledReplicasProblem('the.setting', list)).toBe(
      `the.setting must be "*" or partition:broker pairs such as 0:1,3:2, not ${JSON.stringify(list)}.`,
    )
  })
})

describe('the pauses', () => {
  it('keep what is copied to the rate, but for the first second, and no longer than needed', () => {
    const part = fc.integer({ min: 1, max: 20_000 })
    fc.assert(
      fc.property(fc.array(part, { minLength: 50, maxLength: 100 }), fc.integer({ min: 10_000, max: 100_000 }), (parts, rate) => {
        const throttle = new ReplicationThrottle()
        let nowMs = 5_000
        let bytes = 0
        for (const size of parts) {
          bytes += size
          throttle.note(size, rate, nowMs)
          nowMs += throttle.pauseMs(rate, nowMs)
          expect(bytes).toBeLessThanOrEqual(rate * ((nowMs - 5_000) / 1_000 + 1) + 1)
        }
        expect(nowMs - 5_000).toBeLessThanOrEqual((bytes / rate) * 1_000)
      }),
    )
  })

  it('keep to the lowest of rates, and end when it is raised', () => {
    const throttle = new ReplicationThrottle()
    throttle.note(1_000_000, 1_000, 0)
    expect(throttle.pauseMs(1_000, 0)).toBe(999_000)
    expect(throttle.pauseMs(1_000, 9_000)).toBe(990_000)
    expect(throttle.pauseMs(1_000_000, 9_000)).toBe(0)
  })

  it('are none while little is copied', () => {
    const throttle = new ReplicationThrottle()
    for (let second = 0; second < 10; second++) {
      throttle.note(900, 1_000, second * 1_000)
      expect(throttle.pauseMs(1_000, second * 1_000)).toBe(0)
    }
  })

  it('make up for nothing that went unused longer ago', () => {
    const throttle = new ReplicationThrottle()
    throttle.note(1, 1_000, 0)
    throttle.note(3_000, 1_000, 60_000)
    expect(throttle.pauseMs(1_000, 60_000)).toBe(2_000)
  })
})
