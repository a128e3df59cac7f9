import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { assignInTurn, assignRanges, assignors } from '../../../broker/client/group/assignors.ts'
import type { Assignment, AssignorMember } from '../../../broker/client/group/assignor-types.ts'
import { assignCooperatively } from '../../../broker/client/group/sticky-assignor.ts'
import type { TopicPartition } from '../../../broker/client/types.ts'

const member = (
  memberId: string,
  topics: readonly string[],
  ownedPartitions: readonly TopicPartition[] = [],
  generationId = 1,
): AssignorMember => ({
  memberId,
  groupInstanceId: null,
  subscription: { topics, ownedPartitions, generationId },
})
const shown = (assignment: Assignment): Record<string, string[]> =>
  Object.fromEntries(
    Array.from(assignment, ([memberId, partitions]) => [memberId, partitions.map(({ topic, partition }) => `${topic}${partition}`)]),
  )

const sorted = (assignment: Assignment): Record<string, string[]> =>
  Object.fromEntries(Object.entries(shown(assignment)).map(([memberId, partitions]) => [memberId, partitions.toSorted()]))

const arbitraryGroup = fc.record({
  counts: fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.nat(9)).map((counts) => new Map(Object.entries(counts))),
  members: fc
    .array(fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'missing'), { minLength: 1 }), { minLength: 1, maxLength: 6 })
    .map((lists) => lists.map((topics, index) => member(`m${index}`, topics))),
})
type Group = typeof arbitraryGroup extends fc.Arbitrary<infer G> ? G : never

/** Every partition that somebody wants, exactly once, at somebody who wants it. */
function expectComplete({ counts, members }: Group, assignment: Assignment): void {
  const owners = new Map<string, string>()
  for (const [memberId, partitions] of assignment) {
    for (const { topic, partition } of partitions) {
      expect(owners.has(`${topic} ${partition}`)).toBe(false)
      owners.set(`${topic} ${partition}`, memberId)
      expect(members.find((candidate) => candidate.memberId === memberId)?.subscription.topics).toContain(topic)
    }
  }
  const wanted = [...counts].filter(([topic]) => members.some(({ subscription }) => subscription.topics.includes(topic)))
  expect(owners.size).toBe(wanted.reduce((total, [, count]) => total + count, 0))
}

/** Rounds as a group runs them: what members get is what they own in the next, until nothing changes. */
function settle({ counts, members }: Group): {
  readonly assignment: Assignment
  readonly members: AssignorMember[]
  readonly rounds: number
} {
  let current = members
  for (let round = 1; ; round++) {
    const assignment = assignCooperatively(current, counts)
    const isSettled = current.every(
      ({ memberId, subscription }) => subscription.ownedPartitions.length === (assignment.get(memberId) ?? []).length,
    )
    if (isSettled || round > 5) return { assignment, members: current, rounds: round }
    current = current.map((one) => member(one.memberId, one.subscription.topics, assignment.get(one.memberId) ?? [], round + 1))
  }
}

describe('every assignor', () => {
  it.each(['range', 'roundrobin', 'cooperative-sticky'] as const)('%s gives each partition to one member that wants it', (name) => {
    fc.assert(fc.property(arbitraryGroup, (group) => expectComplete(group, assignors[name](group.members, group.counts))))
  })
})

describe('the range assignor', () => {
  it('splits each topic in order, the first members getting one more', () => {
    const assignment = assignRanges(
      [member('y', ['a', 'b']), member('x', ['a', 'b'])],
      new Map([
        ['a', 3],
        ['b', 3],
      ]),
    )
    expect(shown(assignment)).toEqual({ x: ['a0', 'a1', 'b0', 'b1'], y: ['a2', 'b2'] })
  })

  it('orders static members by their lasting names', () => {
    const named = (memberId: string, groupInstanceId: string): AssignorMember => ({ ...member(memberId, ['a']), groupInstanceId })
    expect(shown(assignRanges([named('1', 'zoe'), named('2', 'adam')], new Map([['a', 2]])))).toEqual({ 1: ['a1'], 2: ['a0'] })
  })
})

describe('the round robin assignor', () => {
  it('deals over all topics, passing over who does not subscribe', () => {
    const assignment = assignInTurn(
      [member('x', ['a']), member('y', ['a', 'b'])],
      new Map([
        ['a', 2],
        ['b', 2],
      ]),
    )
    expect(shown(assignment)).toEqual({ x: ['a0'], y: ['a1', 'b0', 'b1'] })
  })
})

describe('the cooperative sticky assignor', () => {
  it('balances: no partition could move to a subscriber with two fewer', () => {
    fc.assert(
      fc.property(arbitraryGroup, (group) => {
        const { assignment, members } = settle(group)
        for (const [memberId, partitions] of assignment) {
          for (const { topic } of partitions) {
            for (const other of members) {
              if (!other.subscription.topics.includes(topic)) continue
              expect(partitions.length - (assignment.get(other.memberId)?.length ?? 0), `${memberId} over ${other.memberId}`).toBeLessThan(
                2,
              )
            }
          }
        }
      }),
    )
  })

  it('never gives away what another member still owns, and settles after a join', () => {
    fc.assert(
      fc.property(arbitraryGroup, (group) => {
        const before = settle(group)
        const joined = [
          ...before.members.map((one) => member(one.memberId, one.subscription.topics, before.assignment.get(one.memberId) ?? [], 9)),
          member('new', ['a', 'b', 'c']),
        ]
        const owners = new Map(
          joined.flatMap(({ memberId, subscription }) =>
            subscription.ownedPartitions.map(({ topic, partition }) => [`${topic} ${partition}`, memberId]),
          ),
        )
        for (const [memberId, partitions] of assignCooperatively(joined, group.counts)) {
          for (const { topic, partition } of partitions) expect(owners.get(`${topic} ${partition}`) ?? memberId).toBe(memberId)
        }
        const after = settle({ counts: group.counts, members: joined })
        // Two rounds and a look at the second, nearly always; where subscriptions differ, what was let go may first pass through another.
        expect(after.rounds).toBeLessThanOrEqual(5)
        expectComplete({ counts: group.counts, members: after.members }, after.assignment)
      }),
    )
  })

  it('moves nothing when nothing has changed', () => {
    fc.assert(
      fc.property(arbitraryGroup, (group) => {
        const { assignment, members } = settle(group)
        const again = assignCooperatively(
          members.map((one) => member(one.memberId, one.subscription.topics, assignment.get(one.memberId) ?? [], 9)),
          group.counts,
        )
        expect(sorted(again)).toEqual(sorted(assignment))
      }),
    )
  })

  it('hands out nothing that two members claim before both have let go', () => {
    const owned = [{ topic: 'a', partition: 0 }]
    const members = [member('old', ['a'], owned, 3), member('new', ['a'], owned, 4)]
    expect(shown(assignCooperatively(members, new Map([['a', 1]])))).toEqual({ old: [], new: [] })
  })

  it('forgets what was owned of topics that are gone or no longer wanted', () => {
    const owned = [
      { topic: 'gone', partition: 0 },
      { topic: 'b', partition: 0 },
      { topic: 'a', partition: 7 },
    ]
    expect(
      shown(
        assignCooperatively(
          [member('x', ['a'], owned)],
          new Map([
            ['a', 1],
            ['b', 1],
          ]),
        ),
      ),
    ).toEqual({ x: ['a0'] })
  })
})
