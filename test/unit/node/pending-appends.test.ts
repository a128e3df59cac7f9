import { describe, expect, it } from 'vitest'
import { PendingAppends } from '../../../broker/node/pending-appends.ts'
import { ErrorCode } from '../../../broker/wire/errors.ts'
import { manualTime } from '../../support/manual-time.ts'

function pendingWith() {
  const time = manualTime()
  return { time, pending: new PendingAppends(time.timers, () => time.nowMs()) }
}

describe('pending appends', () => {
  it('are answered once the high watermark reaches their end, in order', async () => {
    const { pending } = pendingWith()
    const answered: number[] = []
    const first = pending.wait(10, 100, 1000).then((error) => answered.push(10, error))
    const second = pending.wait(20, 50, 1000).then((error) => answered.push(20, error))
    expect(pending.reached(9)).toBe(0)
    expect(pending.reached(10)).toBe(100)
    await first
    expect(answered).toEqual([10, ErrorCode.NONE])
    pending.reached(25)
    await second
    expect(answered.slice(2)).toEqual([20, ErrorCode.NONE])
  })

  it('count the bytes of appends nobody waits for', () => {
    const { pending } = pendingWith()
    pending.note(5, 30)
    pending.note(6, 12)
    expect(pending.reached(6)).toBe(42)
    expect(pending.reached(6)).toBe(0)
  })

  it('answer a duplicate that waits for an earlier offset without waiting for later ones', async () => {
    const { pending } = pendingWith()
    pending.note(20, 10)
    const duplicate = pending.wait(10, 0, 1000)
    expect(pending.reached(10)).toBe(0)
    expect(await duplicate).toBe(ErrorCode.NONE)
    expect(pending.reached(20)).toBe(10)
  })

  it('time out one by one, and still count as visible bytes when they commit', async () => {
    const { pending, time } = pendingWith()
    const short = pending.wait(10, 7, 100)
    const long = pending.wait(20, 8, 300)
    time.advance(100)
    expect(await short).toBe(ErrorCode.REQUEST_TIMED_OUT)
    expect(pending.reached(10)).toBe(7)
    time.advance(200)
    expect(await long).toBe(ErrorCode.REQUEST_TIMED_OUT)
  })

  it('are refused while too few replicas are in sync, and still count as visible bytes when they commit', async () => {
    const { pending } = pendingWith()
    const waiting = pending.wait(10, 7, 1000)
    pending.refuse(ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND)
    expect(await waiting).toBe(ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND)
    expect(pending.reached(10)).toBe(7)
  })

  it('answer all with one error when leadership goes', async () => {
    const { pending } = pendingWith()
    const waiting = [pending.wait(1, 1, 1000), pending.wait(2, 1, 1000)]
    pending.fail(ErrorCode.NOT_LEADER_OR_FOLLOWER)
    expect(await Promise.all(waiting)).toEqual([ErrorCode.NOT_LEADER_OR_FOLLOWER, ErrorCode.NOT_LEADER_OR_FOLLOWER])
    expect(pending.reached(100)).toBe(0)
  })
})
