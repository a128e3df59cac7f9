import { expect, test } from 'vitest'
import { ErrorCode } from '../../../broker/wire/errors.ts'
import { claim, Harness, joinRequest, settle, syncRequest, watch } from './harness.ts'

async function stableStatic(harness: Harness) {
  const joined = await harness.coordinator.join('g', joinRequest({ instanceId: 'one' }))
  await harness.coordinator.sync('g', syncRequest(joined.memberId, 1, { [joined.memberId]: 'all' }, 'one'))
  return joined
}

test('a static member that returns takes its old place without a rebalance and fences its old id', async () => {
  const harness = await Harness.started()
  const old = await stableStatic(harness)
  const back = await harness.coordinator.join('g', joinRequest({ instanceId: 'one', supportsSkippingAssignment: true }))
  expect(back).toMatchObject({ errorCode: ErrorCode.NONE, generationId: 1, skipAssignment: true })
  expect(back.memberId).not.toBe(old.memberId)
  expect(harness.coordinator.heartbeat('g', claim(old.memberId, 1, 'one')).errorCode).toBe(ErrorCode.FENCED_INSTANCE_ID)
  const synced = await harness.coordinator.sync('g', syncRequest(back.memberId, 1, {}, 'one'))
  expect(synced.assignment.toString()).toBe('all')
})

test('before v9 a returning static leader is told its old id leads, so that it does not assign', async () => {
  const harness = await Harness.started()
  const old = await stableStatic(harness)
  const back = await harness.coordinator.join('g', joinRequest({ instanceId: 'one' }))
  expect(back).toMatchObject({ errorCode: ErrorCode.NONE, leaderId: old.memberId, skipAssignment: false, members: [] })
})

test('a static member that returns with another subscription causes a rebalance', async () => {
  const harness = await Harness.started()
  await stableStatic(harness)
  const back = await harness.coordinator.join(
    'g',
    joinRequest({ instanceId: 'one', protocols: [{ name: 'range', metadata: Buffer.from('other') }] }),
  )
  expect(back).toMatchObject({ errorCode: ErrorCode.NONE, generationId: 2 })
})

test('a static member survives a rebalance it takes no part in, until its session ends', async () => {
  const harness = await Harness.started()
  const silent = await harness.coordinator.join(
    'g',
    joinRequest({ instanceId: 'one', sessionTimeoutMs: 100_000, rebalanceTimeoutMs: 10_000 }),
  )
  await harness.coordinator.sync('g', syncRequest(silent.memberId, 1, {}, 'one'))
  const newcomer = watch(harness.coordinator.join('g', joinRequest({ rebalanceTimeoutMs: 10_000 })))
  await harness.advance(10_000)
  expect(newcomer.value).toMatchObject({ generationId: 2, leaderId: newcomer.value!.memberId })
  expect(newcomer.value!.members.map(({ instanceId }) => instanceId)).toContain('one')
})

test('a replacement that cannot be stored is undone', async () => {
  const harness = await Harness.started()
  const old = await stableStatic(harness)
  harness.appendOutcome = ErrorCode.NOT_ENOUGH_REPLICAS
  const back = await harness.coordinator.join('g', joinRequest({ instanceId: 'one' }))
  expect(back.errorCode).toBe(ErrorCode.COORDINATOR_NOT_AVAILABLE)
  expect(harness.coordinator.heartbeat('g', claim(old.memberId, 1, 'one')).errorCode).toBe(ErrorCode.NONE)
})

test('an administrator removes a static member by its instance id alone', async () => {
  const harness = await Harness.started()
  await stableStatic(harness)
  expect(harness.coordinator.leave('g', [{ memberId: '', instanceId: 'one' }])).toMatchObject({ members: [{ errorCode: ErrorCode.NONE }] })
  await settle()
  expect(harness.coordinator.describe('g').state).toBe('Empty')
})

test('a foreign member id under a known instance id is fenced', async () => {
  const harness = await Harness.started()
  await stableStatic(harness)
  const impostor = await harness.coordinator.join('g', joinRequest({ instanceId: 'one', memberId: 'impostor' }))
  expect(impostor.errorCode).toBe(ErrorCode.FENCED_INSTANCE_ID)
})
