import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { JoinReply } from '../../../broker/coordinator/group-types.ts'
import { ErrorCode } from '../../../broker/wire/errors.ts'
import { claim, Harness, joinRequest, settle, syncRequest, watch } from './harness.ts'

/**
 * Members that come, go, fall silent and come back in any order, over a log that is slow or fails. Whatever happens:
 * every request is answered, one generation has one leader and one protocol, generations only rise, nobody holds an
 * assignment of another generation, and what is in the log gives the same group again.
 */
type Action =
  | { readonly kind: 'join' | 'sync' | 'heartbeat' | 'leave' | 'forget'; readonly actor: number }
  | { readonly kind: 'advance'; readonly byMs: number }
  | { readonly kind: 'holdAppends' | 'releaseAppends' | 'failAppends' | 'healAppends' | 'moveCoordinator' }

interface Actor {
  memberId: string
  instanceId: string | null
  generationId: number
}

const actions: fc.Arbitrary<Action[]> = fc.array(
  fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({ kind: fc.constantFrom('join' as const, 'sync' as const, 'heartbeat' as const), actor: fc.nat(4) }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('leave' as const, 'forget' as const), actor: fc.nat(4) }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('advance' as const), byMs: fc.constantFrom(1, 500, 3_000, 6_000, 30_000) }) },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constantFrom(
          'holdAppends' as const,
          'releaseAppends' as const,
          'failAppends' as const,
          'healAppends' as const,
          'moveCoordinator' as const,
        ),
      }),
    },
  ),
  { minLength: 10, maxLength: 80 },
)

test('any order of joins, leaves, silences and failures keeps the promises of the group protocol', async () => {
  await fc.assert(fc.asyncProperty(actions, fc.boolean(), runScenario), { numRuns: 250 })
})

async function runScenario(script: Action[], knownMemberIds: boolean): Promise<void> {
  const harness = await Harness.started({ initialRebalanceDelayMs: 500 })
  const actors: Actor[] = Array.from({ length: 5 }, (_, index) => ({
    memberId: '',
    instanceId: index >= 3 ? `static-${index}` : null,
    generationId: -1,
  }))
  const pending: { done: boolean }[] = []
  const generations = new Map<number, { leaderId: string; protocolName: string | null }>()
  let epoch = 1

  const onJoined = (actor: Actor, reply: JoinReply) => {
    if (reply.memberId !== '') actor.memberId = reply.memberId
    if (reply.errorCode === ErrorCode.UNKNOWN_MEMBER_ID || reply.errorCode === ErrorCode.FENCED_INSTANCE_ID) actor.memberId = ''
    if (reply.errorCode !== ErrorCode.NONE) return
    actor.generationId = reply.generationId
    // A returning static leader may deliberately be named another leader; those replies carry no members.
    const seen = generations.get(reply.generationId)
    if (seen === undefined) generations.set(reply.generationId, { leaderId: reply.leaderId, protocolName: reply.protocolName })
    else expect(reply.protocolName).toBe(seen.protocolName)
    if (reply.members.length > 0) expect(reply.leaderId).toBe(reply.memberId)
  }

  for (const action of script) {
    switch (action.kind) {
      case 'join': {
        const actor = actors[action.actor]!
        const asked = harness.coordinator.join(
          'g',
          joinRequest({
            memberId: actor.memberId,
            instanceId: actor.instanceId,
            requiresKnownMemberId: knownMemberIds,
            sessionTimeoutMs: 6_000,
            rebalanceTimeoutMs: 10_000,
          }),
        )
        pending.push(watch(asked.then((reply) => onJoined(actor, reply))))
        break
      }
      case 'sync': {
        const actor = actors[action.actor]!
        const everyone = Object.fromEntries(actors.map(({ memberId }) => [memberId, `generation ${actor.generationId}`]))
        const generationId = actor.generationId
        const asked = harness.coordinator.sync('g', syncRequest(actor.memberId, generationId, everyone, actor.instanceId))
        pending.push(
          watch(
            asked.then((reply) => {
              if (reply.errorCode === ErrorCode.NONE && reply.assignment.length > 0)
                expect(reply.assignment.toString()).toBe(`generation ${generationId}`)
            }),
          ),
        )
        break
      }
      case 'heartbeat': {
        const actor = actors[action.actor]!
        const { errorCode } = harness.coordinator.heartbeat('g', claim(actor.memberId, actor.generationId, actor.instanceId))
        if (errorCode === ErrorCode.UNKNOWN_MEMBER_ID) actor.memberId = ''
        break
      }
      case 'leave':
        harness.coordinator.leave('g', [{ memberId: actors[action.actor]!.memberId, instanceId: actors[action.actor]!.instanceId }])
        break
      case 'forget':
        actors[action.actor]!.memberId = ''
        break
      case 'advance':
        await harness.advance(action.byMs)
        break
      case 'holdAppends':
        harness.holdsAppends = true
        break
      case 'releaseAppends':
        await harness.releaseAppends()
        break
      case 'failAppends':
        harness.appendOutcome = ErrorCode.NOT_ENOUGH_REPLICAS
        break
      case 'healAppends':
        harness.appendOutcome = ErrorCode.NONE
        break
      case 'moveCoordinator':
        await harness.releaseAppends()
        harness.coordinator.resigned(0)
        await harness.coordinator.elected(0, ++epoch)
        generations.clear()
    }
    await settle()
    const group = harness.coordinator.describe('g')
    if (group.state === 'Empty') expect(group.members).toEqual([])
    if (group.state === 'Stable' || group.state === 'CompletingRebalance') expect(group.members.length).toBeGreaterThan(0)
  }

  harness.appendOutcome = ErrorCode.NONE
  await harness.releaseAppends()
  await harness.advance(10 * 60_000)
  expect(pending.filter(({ done }) => !done)).toEqual([])
  const left = harness.coordinator.describe('g')
  expect(left.members).toEqual([])

  harness.coordinator.resigned(0)
  await harness.coordinator.elected(0, ++epoch)
  expect(harness.coordinator.describe('g').members).toEqual([])
}
