import { describe, expect, it } from 'vitest'
import { FollowerSession, type SessionTarget } from '../../../broker/node/follower-session.ts'

const target = (partition: number, change: Partial<SessionTarget> = {}): SessionTarget => ({
  topicId: 'T',
  partition,
  currentLeaderEpoch: 1,
  fetchOffset: 0,
  lastFetchedEpoch: -1,
  logStartOffset: 0,
  ...change,
})

const named = ({ topics }: ReturnType<FollowerSession['request']>) =>
  topics.flatMap(({ partitions }) => partitions.map(({ partition }) => partition))

describe("a follower's fetch session", () => {
  it('names everything until the leader opens one, and then only what changed', () => {
    const session = new FollowerSession(1000)
    const whole = session.request([target(0), target(1)])
    expect([whole.sessionId, whole.sessionEpoch, named(whole)]).toEqual([0, 0, [0, 1]])
    session.answered(77)
    const next = session.request([target(0), target(1, { fetchOffset: 5 })])
    expect([next.sessionId, next.sessionEpoch, named(next)]).toEqual([77, 1, [1]])
    session.answered(77)
    expect(named(session.request([target(0), target(1, { fetchOffset: 5 })]))).toEqual([])
  })

  it('takes back what is no longer fetched', () => {
    const session = new FollowerSession(1000)
    session.request([target(0), target(1)])
    session.answered(77)
    expect(session.request([target(1)]).forgottenTopicsData).toEqual([{ topicId: 'T', partitions: [0] }])
    session.answered(77)
    expect(named(session.request([target(0), target(1)]))).toEqual([0])
  })

  it('names everything again after a failure, and ends the old session', () => {
    const session = new FollowerSession(1000)
    session.request([target(0)])
    session.answered(77)
    session.request([target(0)])
    session.reset()
    const whole = session.request([target(0)])
    expect([whole.sessionId, whole.sessionEpoch, named(whole)]).toEqual([77, 0, [0]])
  })

  it('goes without a session where the leader has no room for one', () => {
    const session = new FollowerSession(1000)
    for (let round = 0; round < 3; round++) {
      const whole = session.request([target(0)])
      expect([whole.sessionId, whole.sessionEpoch, named(whole)]).toEqual([0, 0, [0]])
      session.answered(0)
    }
  })
})
