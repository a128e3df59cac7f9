import { describe, expect, it } from 'vitest'
import { FollowedReplicas } from '../../../broker/node/followed-replicas.ts'
import type { FollowedLeader, Partition } from '../../../broker/node/partition.ts'

const LEADER = 3

/** A clock that every look moves on, as the real one does. */
function clock(stepMs = 0) {
  const state = { nowMs: 0 }
  const monotonicMs = (): number => {
    state.nowMs += stepMs
    return state.nowMs
  }
  return { state, clock: { nowMs: monotonicMs, monotonicMs } }
}

function replica(index = 0, followed: FollowedLeader | null = { leaderId: LEADER, leaderEpoch: 0 }) {
  return { topicId: 'topic', partition: index, followed } as unknown as Partition & { followed: FollowedLeader | null }
}

describe('the replicas a fetcher copies', () => {
  it('are due at once, and once more in a later epoch', () => {
    const replicas = new FollowedReplicas(clock().clock, LEADER, () => 0)
    const partition = replica()
    expect(replicas.add(partition, 0)).toBe(true)
    expect(replicas.add(partition, 0)).toBe(false)
    expect(replicas.look()).toMatchObject({ due: [{ partition, leaderEpoch: 0 }], nextAfterMs: null })
    expect(replicas.add(partition, 1)).toBe(true)
  })

  it('are never slept past: whoever is not due is waited for, however the clock moves between looks', () => {
    for (const stepMs of [0.001, 0.3, 1, 3, 7]) {
      const { clock: moving } = clock(stepMs)
      const replicas = new FollowedReplicas(moving, LEADER, () => 0)
      replicas.add(replica(), 0)
      const [followed] = replicas.look().due
      replicas.retrySoon(followed!)
      for (let looks = 0; looks < 20_000; looks++) {
        const { due, nextAfterMs } = replicas.look()
        if (due.length > 0) break
        expect(nextAfterMs).toBeGreaterThan(0)
      }
      expect(replicas.look().due).toHaveLength(1)
    }
  })

  it('are held back each on its own', () => {
    const { state, clock: still } = clock()
    const replicas = new FollowedReplicas(still, LEADER, () => 0)
    const [one, other] = [replica(0), replica(1)]
    replicas.add(one, 0)
    replicas.add(other, 0)
    replicas.holdBack(replicas.look().due[0]!, 100)
    expect(replicas.look()).toMatchObject({ due: [{ partition: other }], nextAfterMs: 100 })
    state.nowMs = 100
    expect(replicas.look().due).toHaveLength(2)
  })

  it('are retried later each time, within bounds', () => {
    const replicas = new FollowedReplicas(clock().clock, LEADER, () => 0)
    replicas.add(replica(), 0)
    const [followed] = replicas.look().due
    expect(Array.from({ length: 8 }, () => replicas.retrySoon(followed!))).toEqual([10, 20, 40, 80, 160, 320, 500, 500])
  })

  it('are not due while cut, led by another, or followed anew', () => {
    const replicas = new FollowedReplicas(clock().clock, LEADER, () => 0)
    const partition = replica()
    replicas.add(partition, 0)
    const [followed] = replicas.look().due
    partition.followed = null
    expect(replicas.look()).toEqual({ due: [], nextAfterMs: null })
    partition.followed = { leaderId: LEADER + 1, leaderEpoch: 0 }
    expect(replicas.isCurrent(followed!)).toBe(false)
    partition.followed = { leaderId: LEADER, leaderEpoch: 0 }
    expect(replicas.isCurrent(followed!)).toBe(true)
    replicas.remove(partition)
    expect(replicas.isCurrent(followed!)).toBe(false)
    expect(replicas.size).toBe(0)
  })
})
