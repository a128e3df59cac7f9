import { expect, test } from 'vitest'
import { ErrorCode } from '../../../broker/wire/errors.ts'
import { claim, Harness, joinRequest, settle, syncRequest, watch } from './harness.ts'

/** One member in a stable group. */
async function stableGroup(harness: Harness, overrides: Parameters<typeof joinRequest>[0] = {}) {
  const joined = await harness.coordinator.join('g', joinRequest(overrides))
  await harness.coordinator.sync(
    'g',
    syncRequest(joined.memberId, joined.generationId, { [joined.memberId]: 'all' }, overrides.instanceId ?? null),
  )
  return joined
}

test('a lone member becomes leader, assigns itself and finds the group stable', async () => {
  const harness = await Harness.started()
  const joined = await harness.coordinator.join('g', joinRequest())
  expect(joined).toMatchObject({ errorCode: ErrorCode.NONE, generationId: 1, protocolName: 'range', leaderId: joined.memberId })
  expect(joined.members.map(({ memberId }) => memberId)).toEqual([joined.memberId])
  const synced = await harness.coordinator.sync('g', syncRequest(joined.memberId, 1, { [joined.memberId]: 'all' }))
  expect(synced.assignment.toString()).toBe('all')
  expect(harness.coordinator.describe('g')).toMatchObject({ state: 'Stable', protocol: 'range' })
})

test('a dynamic member is first given an id that only it can join with', async () => {
  const harness = await Harness.started()
  const first = await harness.coordinator.join('g', joinRequest({ requiresKnownMemberId: true }))
  expect(first.errorCode).toBe(ErrorCode.MEMBER_ID_REQUIRED)
  expect(first.memberId).toMatch(/^client-uuid-/)
  const second = await harness.coordinator.join('g', joinRequest({ requiresKnownMemberId: true, memberId: first.memberId }))
  expect(second).toMatchObject({ errorCode: ErrorCode.NONE, memberId: first.memberId })
  const stranger = await harness.coordinator.join('g', joinRequest({ memberId: 'stranger' }))
  expect(stranger.errorCode).toBe(ErrorCode.UNKNOWN_MEMBER_ID)
})

test.each([
  ['of the longest name there can be', 'x'.repeat(32_767)],
  ['whose name would be cut within a character', `${'x'.repeat(254)}😀`],
])('a client %s gets a member id that the group record can hold and the client can repeat', async (_what, clientId) => {
  const harness = await Harness.started()
  const { memberId } = await stableGroup(harness, { clientId })
  expect(harness.coordinator.describe('g')).toMatchObject({ state: 'Stable', members: [{ memberId, clientId }] })
  expect(Buffer.from(memberId).toString()).toBe(memberId)
  expect(harness.log).toHaveLength(1)
})

test('a member id that was handed out and never used does not hold up a rebalance for ever', async () => {
  const harness = await Harness.started()
  const member = await stableGroup(harness)
  await harness.coordinator.join('g', joinRequest({ requiresKnownMemberId: true, sessionTimeoutMs: 6_000 }))
  const rejoining = watch(harness.coordinator.join('g', joinRequest({ memberId: member.memberId })))
  await settle()
  expect(rejoining.done).toBe(false)
  await harness.advance(6_000)
  expect(rejoining.value).toMatchObject({ errorCode: ErrorCode.NONE, generationId: 2 })
})

test('a group whose record cannot be written answers an error and lives on', async () => {
  const harness = await Harness.started()
  const protocols = [{ name: 'x'.repeat(32_768), metadata: Buffer.alloc(0) }]
  const joined = await harness.coordinator.join('g', joinRequest({ protocols }))
  const synced = await harness.coordinator.sync('g', syncRequest(joined.memberId, joined.generationId, { [joined.memberId]: 'all' }))
  expect(synced.errorCode).toBe(ErrorCode.UNKNOWN_SERVER_ERROR)
  expect(harness.unwritable).toEqual(['g'])
  harness.coordinator.leave('g', [{ memberId: joined.memberId, instanceId: null }])
  await settle()
  await stableGroup(harness)
  expect(harness.coordinator.describe('g')).toMatchObject({ state: 'Stable', protocol: 'range' })
})

test('names that no record can hold are refused before anybody suffers from them', async () => {
  const harness = await Harness.started()
  const tooLong = 'x'.repeat(32_768)
  expect((await harness.coordinator.join('g', joinRequest({ instanceId: tooLong }))).errorCode).toBe(ErrorCode.INVALID_REQUEST)
  expect((await harness.coordinator.join(tooLong, joinRequest())).errorCode).toBe(ErrorCode.INVALID_GROUP_ID)
  expect(harness.coordinator.list().groups).toEqual([])
})

test('ids given out and not come back with are bounded', async () => {
  const harness = await Harness.started()
  const ask = () => harness.coordinator.join('g', joinRequest({ requiresKnownMemberId: true }))
  const { memberId } = await ask()
  for (let asked = 1; asked < 10_000; asked++) await ask()
  expect(await ask()).toMatchObject({ errorCode: ErrorCode.GROUP_MAX_SIZE_REACHED, memberId: '' })
  void harness.coordinator.join('g', joinRequest({ memberId }))
  expect((await ask()).errorCode).toBe(ErrorCode.MEMBER_ID_REQUIRED)
})

test('a second member causes a rebalance that the first learns of by heartbeat', async () => {
  const harness = await Harness.started()
  const first = await stableGroup(harness)
  const second = watch(harness.coordinator.join('g', joinRequest({ clientId: 'second' })))
  await settle()
  expect(harness.coordinator.heartbeat('g', claim(first.memberId, 1)).errorCode).toBe(ErrorCode.REBALANCE_IN_PROGRESS)
  const again = await harness.coordinator.join('g', joinRequest({ memberId: first.memberId }))
  await settle()
  expect(again).toMatchObject({ generationId: 2, leaderId: first.memberId })
  expect(again.members).toHaveLength(2)
  expect(second.value).toMatchObject({ generationId: 2, leaderId: first.memberId, members: [] })

  const secondSync = watch(harness.coordinator.sync('g', syncRequest(second.value!.memberId, 2)))
  await settle()
  expect(secondSync.done).toBe(false)
  await harness.coordinator.sync('g', syncRequest(first.memberId, 2, { [first.memberId]: 'a', [second.value!.memberId]: 'b' }))
  await settle()
  expect(secondSync.value!.assignment.toString()).toBe('b')
})

test('a dynamic member that does not join again in time is out', async () => {
  const harness = await Harness.started()
  const first = await stableGroup(harness, { sessionTimeoutMs: 1_800_000, rebalanceTimeoutMs: 30_000 })
  const second = watch(harness.coordinator.join('g', joinRequest({ rebalanceTimeoutMs: 30_000 })))
  await harness.advance(29_999)
  expect(second.done).toBe(false)
  await harness.advance(1)
  expect(second.value).toMatchObject({ generationId: 2, leaderId: second.value!.memberId })
  expect(harness.coordinator.heartbeat('g', claim(first.memberId, 1)).errorCode).toBe(ErrorCode.UNKNOWN_MEMBER_ID)
})

test('a member that falls silent is removed when its session ends, and not before', async () => {
  const harness = await Harness.started()
  const member = await stableGroup(harness, { sessionTimeoutMs: 10_000 })
  await harness.advance(9_000)
  expect(harness.coordinator.heartbeat('g', claim(member.memberId, 1)).errorCode).toBe(ErrorCode.NONE)
  await harness.advance(9_999)
  expect(harness.coordinator.describe('g').members).toHaveLength(1)
  await harness.advance(1)
  expect(harness.coordinator.describe('g')).toMatchObject({ state: 'Empty', members: [] })
})

test('a member that never sends SyncGroup is removed so that the others go on', async () => {
  const harness = await Harness.started()
  const first = await harness.coordinator.join('g', joinRequest({ rebalanceTimeoutMs: 20_000, sessionTimeoutMs: 1_800_000 }))
  await harness.advance(20_000)
  expect(harness.coordinator.heartbeat('g', claim(first.memberId, 1)).errorCode).toBe(ErrorCode.UNKNOWN_MEMBER_ID)
  expect(harness.coordinator.describe('g').state).toBe('Empty')
})

test('the first members of a group are waited for, and each newcomer extends the wait', async () => {
  const harness = await Harness.started({ initialRebalanceDelayMs: 3_000 })
  const first = watch(harness.coordinator.join('g', joinRequest()))
  await harness.advance(2_000)
  const second = watch(harness.coordinator.join('g', joinRequest()))
  await harness.advance(1_000)
  expect(first.done).toBe(false)
  await harness.advance(3_000)
  expect(first.value).toMatchObject({ generationId: 1 })
  expect(second.value).toMatchObject({ generationId: 1 })
  expect(first.value!.members).toHaveLength(2)
})

test('leaving at once rebalances the rest', async () => {
  const harness = await Harness.started()
  const member = await stableGroup(harness)
  const reply = harness.coordinator.leave('g', [
    { memberId: member.memberId, instanceId: null },
    { memberId: 'nobody', instanceId: null },
  ])
  expect(reply).toMatchObject({ kind: 'leave', members: [{ errorCode: ErrorCode.NONE }, { errorCode: ErrorCode.UNKNOWN_MEMBER_ID }] })
  await settle()
  expect(harness.coordinator.describe('g').state).toBe('Empty')
})

test('sessions outside the allowed range, foreign protocols and stale generations are refused', async () => {
  const harness = await Harness.started()
  const tooShort = await harness.coordinator.join('g', joinRequest({ sessionTimeoutMs: 5_999 }))
  expect(tooShort.errorCode).toBe(ErrorCode.INVALID_SESSION_TIMEOUT)
  const member = await stableGroup(harness)
  const foreign = await harness.coordinator.join('g', joinRequest({ protocols: [{ name: 'sticky', metadata: Buffer.alloc(0) }] }))
  expect(foreign.errorCode).toBe(ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
  const connect = await harness.coordinator.join('g', joinRequest({ protocolType: 'connect' }))
  expect(connect.errorCode).toBe(ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
  expect(harness.coordinator.heartbeat('g', claim(member.memberId, 7)).errorCode).toBe(ErrorCode.ILLEGAL_GENERATION)
  expect((await harness.coordinator.join('', joinRequest())).errorCode).toBe(ErrorCode.INVALID_GROUP_ID)
})

test('the protocol most members prefer among those all know is chosen', async () => {
  const harness = await Harness.started({ initialRebalanceDelayMs: 1_000 })
  const offer = (...names: string[]) => joinRequest({ protocols: names.map((name) => ({ name, metadata: Buffer.from(name) })) })
  const joins = [offer('sticky', 'range', 'x'), offer('range', 'sticky'), offer('sticky', 'range')].map((request) =>
    harness.coordinator.join('g', request),
  )
  await harness.advance(2_000)
  for (const reply of await Promise.all(joins)) expect(reply.protocolName).toBe('sticky')
})

test('a failed store of the assignment is told to all, and the group rebalances', async () => {
  const harness = await Harness.started()
  const member = await harness.coordinator.join('g', joinRequest())
  harness.appendOutcome = ErrorCode.NOT_ENOUGH_REPLICAS
  const synced = await harness.coordinator.sync('g', syncRequest(member.memberId, 1, { [member.memberId]: 'all' }))
  expect(synced.errorCode).toBe(ErrorCode.COORDINATOR_NOT_AVAILABLE)
  expect(harness.coordinator.describe('g').state).toBe('PreparingRebalance')
})

test('a follower of a stable group that joins unchanged is told the generation it is in; the leader causes a new one', async () => {
  const harness = await Harness.started({ initialRebalanceDelayMs: 1_000 })
  const joins = [harness.coordinator.join('g', joinRequest()), harness.coordinator.join('g', joinRequest())]
  await harness.advance(2_000)
  const [leader, follower] = await Promise.all(joins)
  await Promise.all([
    harness.coordinator.sync('g', syncRequest(follower!.memberId, 1)),
    harness.coordinator.sync('g', syncRequest(leader!.memberId, 1, { [leader!.memberId]: 'a', [follower!.memberId]: 'b' })),
  ])
  const again = await harness.coordinator.join('g', joinRequest({ memberId: follower!.memberId }))
  expect(again).toMatchObject({ errorCode: ErrorCode.NONE, generationId: 1, leaderId: leader!.memberId })
  const rejoined = watch(harness.coordinator.join('g', joinRequest({ memberId: leader!.memberId })))
  await settle()
  expect(rejoined.done).toBe(false)
  expect(harness.coordinator.describe('g').state).toBe('PreparingRebalance')
})

test('losing the partition sends waiting members to look for the new coordinator', async () => {
  const harness = await Harness.started()
  await stableGroup(harness)
  const waiting = harness.coordinator.join('g', joinRequest())
  harness.coordinator.resigned(0)
  expect((await waiting).errorCode).toBe(ErrorCode.NOT_COORDINATOR)
  expect(harness.coordinator.heartbeat('g', claim('x', 1)).errorCode).toBe(ErrorCode.NOT_COORDINATOR)
})

test('a new coordinator finds the group in the log as it was, and gives members a full session', async () => {
  const harness = await Harness.started()
  const member = await stableGroup(harness, { sessionTimeoutMs: 10_000 })
  harness.coordinator.resigned(0)
  await harness.coordinator.elected(0, 2)
  expect(harness.coordinator.describe('g')).toMatchObject({ state: 'Stable', protocol: 'range' })
  expect(harness.coordinator.describe('g').members[0]!.assignment.toString()).toBe('all')
  await harness.advance(9_000)
  expect(harness.coordinator.heartbeat('g', claim(member.memberId, 1)).errorCode).toBe(ErrorCode.NONE)
})

test('an assignment stored late, for an earlier generation, does not make the present one stable', async () => {
  const harness = await Harness.started()
  const first = await harness.coordinator.join('g', joinRequest())
  harness.holdsAppends = true
  const late = watch(harness.coordinator.sync('g', syncRequest(first.memberId, 1, { [first.memberId]: 'old' })))
  await settle()
  const second = watch(harness.coordinator.join('g', joinRequest({ clientId: 'second' })))
  const again = watch(harness.coordinator.join('g', joinRequest({ memberId: first.memberId })))
  await settle()
  expect(late.value!.errorCode).toBe(ErrorCode.REBALANCE_IN_PROGRESS)
  expect([again.value!.generationId, second.value!.generationId]).toEqual([2, 2])
  await harness.releaseAppends()
  expect(harness.coordinator.describe('g').state).toBe('CompletingRebalance')
})
