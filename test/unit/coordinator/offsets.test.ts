import { expect, test } from 'vitest'
import { consumerProtocolSubscription } from '../../../broker/api/consumer-protocol.schema.ts'
import { encodePrefixed } from '../../../broker/wire/codec.ts'
import { ErrorCode } from '../../../broker/wire/errors.ts'
import { claim, Harness, joinRequest, settle, syncRequest, watch } from './harness.ts'

const commit = (offset: number, who = claim('', -1), metadata = '', topic = 't') => ({
  ...who,
  topics: [{ topic, partitions: [{ partition: 0, offset, leaderEpoch: 3, metadata }] }],
})
const fetchAll = { topics: null, memberId: null, memberEpoch: -1, requireStable: false }
const DAY_MS = 24 * 3_600_000

function committed(harness: Harness, topic = 't') {
  return harness.coordinator.fetchOffsets('g', { ...fetchAll, topics: [{ topic, partitions: [0] }] }).topics[0]!.partitions[0]!
}

test('a commit outside of membership is taken while the group has no members, and read back', async () => {
  const harness = await Harness.started()
  const reply = await harness.coordinator.commitOffsets('g', commit(42, claim('', -1), 'note'))
  expect(reply.topics[0]!.partitions[0]!.errorCode).toBe(ErrorCode.NONE)
  expect(committed(harness)).toEqual({ partition: 0, offset: 42, leaderEpoch: 3, metadata: 'note', errorCode: ErrorCode.NONE })
  expect(harness.coordinator.describe('g').state).toBe('Empty')
})

test('no commit is offset -1 without an error', async () => {
  const harness = await Harness.started()
  expect(committed(harness)).toMatchObject({ offset: -1, errorCode: ErrorCode.NONE })
  expect(harness.coordinator.fetchOffsets('g', fetchAll).topics).toEqual([])
})

test('a commit is visible only once it is committed to the log', async () => {
  const harness = await Harness.started()
  harness.holdsAppends = true
  const reply = watch(harness.coordinator.commitOffsets('g', commit(1)))
  await settle()
  expect(reply.done).toBe(false)
  expect(committed(harness).offset).toBe(-1)
  await harness.releaseAppends()
  expect(committed(harness).offset).toBe(1)
})

test('strangers and members of another generation may not commit to a group with members', async () => {
  const harness = await Harness.started()
  const member = await harness.coordinator.join('g', joinRequest())
  const errorOf = async (who: ReturnType<typeof claim>) =>
    (await harness.coordinator.commitOffsets('g', commit(1, who))).topics[0]!.partitions[0]!.errorCode
  expect(await errorOf(claim('', -1))).toBe(ErrorCode.UNKNOWN_MEMBER_ID)
  expect(await errorOf(claim('stranger', 1))).toBe(ErrorCode.UNKNOWN_MEMBER_ID)
  expect(await errorOf(claim(member.memberId, 9))).toBe(ErrorCode.ILLEGAL_GENERATION)
  expect(await errorOf(claim(member.memberId, 1))).toBe(ErrorCode.REBALANCE_IN_PROGRESS)
  await harness.coordinator.sync('g', syncRequest(member.memberId, 1, {}))
  expect(await errorOf(claim(member.memberId, 1))).toBe(ErrorCode.NONE)
  const unknown = await harness.coordinator.commitOffsets('nobody', commit(1, claim('m', 3)))
  expect(unknown.topics[0]!.partitions[0]!.errorCode).toBe(ErrorCode.ILLEGAL_GENERATION)
})

test('oversized commit metadata is refused for its partition', async () => {
  const harness = await Harness.started()
  const reply = await harness.coordinator.commitOffsets('g', commit(1, claim('', -1), 'x'.repeat(4_097)))
  expect(reply.topics[0]!.partitions[0]!.errorCode).toBe(ErrorCode.OFFSET_METADATA_TOO_LARGE)
})

test('a refused commit leaves nothing behind, nor one of which nothing is kept', async () => {
  const harness = await Harness.started()
  await harness.coordinator.commitOffsets('a', commit(1, claim('stranger', -1)))
  await harness.coordinator.commitOffsets('b', commit(1, claim('', -1), 'x'.repeat(4_097)))
  expect(harness.coordinator.list().groups).toEqual([])
})

test('a failed commit leaves nothing behind, not even the group', async () => {
  const harness = await Harness.started()
  harness.appendOutcome = ErrorCode.NOT_LEADER_OR_FOLLOWER
  const reply = await harness.coordinator.commitOffsets('g', commit(1))
  expect(reply.topics[0]!.partitions[0]!.errorCode).toBe(ErrorCode.NOT_COORDINATOR)
  expect(harness.coordinator.list().groups).toEqual([])
})

test('offsets survive a change of coordinator', async () => {
  const harness = await Harness.started()
  await harness.coordinator.commitOffsets('g', commit(5))
  await harness.coordinator.commitOffsets('g', commit(6))
  harness.coordinator.resigned(0)
  await harness.coordinator.elected(0, 2)
  expect(committed(harness).offset).toBe(6)
})

test('offsets of an empty group expire after their retention, and the group with them', async () => {
  const harness = await Harness.started()
  await harness.coordinator.commitOffsets('g', commit(5))
  await harness.advance(7 * DAY_MS - 1)
  expect(committed(harness).offset).toBe(5)
  await harness.advance(600_001)
  expect(committed(harness).offset).toBe(-1)
  expect(harness.coordinator.list().groups).toEqual([])
  harness.coordinator.resigned(0)
  await harness.coordinator.elected(0, 2)
  expect(harness.coordinator.list().groups).toEqual([])
})

test('a live consumer group keeps offsets of topics it subscribes to, however old', async () => {
  const harness = await Harness.started()
  const metadata = encodePrefixed(consumerProtocolSubscription, 1, { topics: ['t'], userData: null })
  const member = await harness.coordinator.join('g', joinRequest({ protocols: [{ name: 'range', metadata }], sessionTimeoutMs: 1_800_000 }))
  await harness.coordinator.sync('g', syncRequest(member.memberId, 1, {}))
  await harness.coordinator.commitOffsets('g', commit(5, claim(member.memberId, 1)))
  await harness.coordinator.commitOffsets('g', commit(5, claim(member.memberId, 1), '', 'unsubscribed'))
  for (let halfHours = 0; halfHours < 8 * 24 * 2 + 2; halfHours++) {
    await harness.advance(1_799_000)
    harness.coordinator.heartbeat('g', claim(member.memberId, 1))
  }
  expect(committed(harness).offset).toBe(5)
  expect(committed(harness, 'unsubscribed').offset).toBe(-1)
})

test('offsets of a subscribed topic cannot be deleted, others can', async () => {
  const harness = await Harness.started()
  const metadata = encodePrefixed(consumerProtocolSubscription, 0, { topics: ['t'], userData: null })
  const member = await harness.coordinator.join('g', joinRequest({ protocols: [{ name: 'range', metadata }] }))
  await harness.coordinator.sync('g', syncRequest(member.memberId, 1, {}))
  for (const topic of ['t', 'old']) await harness.coordinator.commitOffsets('g', commit(5, claim(member.memberId, 1), '', topic))
  const reply = await harness.coordinator.deleteOffsets('g', [
    { topic: 't', partitions: [0] },
    { topic: 'old', partitions: [0] },
  ])
  expect(reply.topics.map(({ partitions }) => partitions[0]!.errorCode)).toEqual([ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC, ErrorCode.NONE])
  expect(committed(harness).offset).toBe(5)
  expect(committed(harness, 'old').offset).toBe(-1)
  expect((await harness.coordinator.deleteOffsets('nobody', [])).errorCode).toBe(ErrorCode.GROUP_ID_NOT_FOUND)
})

test('deleting a group takes its offsets; one with members is refused', async () => {
  const harness = await Harness.started()
  await harness.coordinator.commitOffsets('g', commit(5))
  expect(await harness.coordinator.deleteGroup('g')).toBe(ErrorCode.NONE)
  expect(await harness.coordinator.deleteGroup('g')).toBe(ErrorCode.GROUP_ID_NOT_FOUND)
  harness.coordinator.resigned(0)
  await harness.coordinator.elected(0, 2)
  expect(committed(harness).offset).toBe(-1)
  await harness.coordinator.join('g', joinRequest())
  expect(await harness.coordinator.deleteGroup('g')).toBe(ErrorCode.NON_EMPTY_GROUP)
})

test('offsets of a deleted topic are forgotten', async () => {
  const harness = await Harness.started()
  await harness.coordinator.commitOffsets('g', commit(5))
  await harness.coordinator.topicsDeleted(new Set(['t']))
  expect(committed(harness).offset).toBe(-1)
})

test('a commit under way when the coordinator moves is answered NOT_COORDINATOR and applied by the next one alone', async () => {
  const harness = await Harness.started()
  harness.holdsAppends = true
  const reply = watch(harness.coordinator.commitOffsets('g', commit(9)))
  await settle()
  harness.coordinator.resigned(0)
  await harness.releaseAppends()
  expect(reply.value!.topics[0]!.partitions[0]!.errorCode).toBe(ErrorCode.NOT_COORDINATOR)
  await harness.coordinator.elected(0, 2)
  expect(committed(harness).offset).toBe(9)
})
