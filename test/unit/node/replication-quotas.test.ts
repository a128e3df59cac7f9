import { describe, expect, it } from 'vitest'
import { applyRecords } from '../../../broker/cluster/apply-records.ts'
import { ConfigResourceType } from '../../../broker/cluster/image.ts'
import { configRecord } from '../../../broker/cluster/metadata-records.ts'
import { ReplicationQuotas } from '../../../broker/node/replication-quotas.ts'
import { imageOf, partitionState } from '../../support/images.ts'

const UNLIMITED = Number.MAX_SAFE_INTEGER
const moving = { topic: 'moving', partition: 0 }
const bare = imageOf(
  [{ id: 1 }, { id: 2 }, { id: 3 }],
  [{ name: 'moving', id: 'bW92aW5nLW1vdmluZy1tbw', partitions: [partitionState({ replicas: [1, 2, 3], isr: [1, 2] })] }],
)

/** Broker `nodeId`, with settings of topic, broker and all brokers. */
function quotas(
  nodeId: number,
  settings: { topic?: Record<string, string>; broker?: Record<string, string>; all?: Record<string, string> },
) {
  const { TOPIC, BROKER } = ConfigResourceType
  const given = [
    [TOPIC, 'moving', settings.topic],
    [BROKER, String(nodeId), settings.broker],
    [BROKER, '', settings.all],
  ] as const
  const records = given.flatMap(([type, name, values]) =>
    Object.entries(values ?? {}).map(([setting, value]) => configRecord(type, name, setting, value)),
  )
  const image = records.length === 0 ? bare : applyRecords(bare, records, { offset: 200, epoch: 1 }).image
  let nowMs = 0
  const made = new ReplicationQuotas({
    nodeId,
    image: () => image,
    monotonicMs: () => nowMs,
    rates: { leader: UNLIMITED, follower: UNLIMITED },
  })
  return { quotas: made, pass: (ms: number) => (nowMs += ms) }
}

const leaderList = { 'leader.replication.throttled.replicas': '0:1' }
const followerList = { 'follower.replication.throttled.replicas': '0:3' }

describe('the quota of a leader', () => {
  const rate = { 'leader.replication.throttled.rate': '1000' }

  it('holds back a follower out of sync until what it was sent is within the rate', () => {
    const { quotas: leader, pass } = quotas(1, { topic: leaderList, broker: rate })
    expect(leader.isHeldBack(moving, 3)).toBe(false)
    leader.sent(moving, 3, 4_000)
    expect(leader.isHeldBack(moving, 3)).toBe(true)
    pass(2_999)
    expect(leader.isHeldBack(moving, 3)).toBe(true)
    pass(1)
    expect(leader.isHeldBack(moving, 3)).toBe(false)
  })

  it('neither holds back nor counts a follower in sync, nor a replica that is not named', () => {
    const { quotas: leader } = quotas(1, { topic: leaderList, broker: rate })
    leader.sent(moving, 2, 1_000_000)
    expect([leader.isHeldBack(moving, 2), leader.isHeldBack(moving, 3)]).toEqual([false, false])
    const { quotas: unnamed } = quotas(2, { topic: leaderList, broker: rate })
    unnamed.sent(moving, 3, 1_000_000)
    expect(unnamed.isHeldBack(moving, 3)).toBe(false)
  })

  it('goes by the rate of the broker before that of all brokers', () => {
    const { quotas: leader } = quotas(1, { topic: leaderList, broker: { 'leader.replication.throttled.rate': '9000' }, all: rate })
    leader.sent(moving, 3, 8_000)
    expect(leader.isHeldBack(moving, 3)).toBe(false)
  })
})

describe('the quota of a follower', () => {
  const rate = { 'follower.replication.throttled.rate': '1000' }

  it('asks for pauses that keep to the rate', () => {
    const { quotas: follower, pass } = quotas(3, { topic: followerList, all: rate })
    expect(follower.taken(moving, 4_000)).toBe(3_000)
    pass(1_000)
    expect(follower.taken(moving, 0)).toBe(2_000)
  })

  it('is not that of the leader', () => {
    const { quotas: both } = quotas(3, { topic: { ...followerList, 'leader.replication.throttled.replicas': '*' }, all: rate })
    both.taken(moving, 4_000)
    expect(both.isHeldBack(moving, 3)).toBe(false)
  })
})
