import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  followQuorum,
  lostAfterMs,
  type QuorumAnswer,
  type QuorumChange,
  type QuorumTracking,
} from '../../../../broker/host/timeline/quorum-differ.ts'

function follow(answers: readonly (QuorumAnswer & { atMs: number })[]): QuorumChange[] {
  const changes: QuorumChange[] = []
  let tracking: QuorumTracking | null = null
  for (const { atMs, ...answer } of answers) {
    const followed: ReturnType<typeof followQuorum> = followQuorum(tracking, answer, atMs)
    tracking = followed.tracking
    if (followed.change !== null) changes.push(followed.change)
  }
  return changes
}

const led = (atMs: number, leaderId: number, leaderEpoch: number) => ({ atMs, leaderId, leaderEpoch })
const quiet = (atMs: number) => ({ atMs, leaderId: null, leaderEpoch: null })

describe('the quorum', () => {
  test('begins where it is found', () => {
    expect(follow([led(0, 1001, 4), led(1, 1001, 4)])).toEqual([])
    expect(follow([quiet(0), quiet(9_000)])).toEqual([])
  })

  test('elects in a newer epoch, also the same controller', () => {
    expect(follow([led(0, 1001, 4), led(1, 1002, 5), led(2, 1002, 6)])).toEqual([
      { kind: 'controller-elected', from: 1001, to: 1002, epoch: 5, atMs: 1 },
      { kind: 'controller-elected', from: 1002, to: 1002, epoch: 6, atMs: 2 },
    ])
  })

  test('is not lost while it elects', () => {
    expect(follow([led(0, 1001, 4), quiet(100), quiet(lostAfterMs), led(lostAfterMs + 99, 1002, 5)]).map(({ kind }) => kind)).toEqual([
      'controller-elected',
    ])
  })

  test('is lost as of when it fell quiet, once, and returns with how long it took', () => {
    expect(follow([led(0, 1001, 4), quiet(100), quiet(100 + lostAfterMs), quiet(9_000), led(10_100, 1001, 7)])).toEqual([
      { kind: 'quorum-lost', from: 1001, epoch: 4, atMs: 100 },
      { kind: 'quorum-returned', from: 1001, to: 1001, epoch: 7, quietMs: 10_000, atMs: 10_100 },
    ])
  })

  test('does not believe somebody who tells of an older epoch', () => {
    expect(follow([led(0, 1002, 5), led(1, 1001, 4), led(2, 1002, 5)])).toEqual([])
  })

  test('is lost and returns in turn, and epochs never fall, whatever is answered', () => {
    const answer = fc.record({ gap: fc.nat(5_000), leader: fc.option(fc.constantFrom(1001, 1002, 1003)), epoch: fc.nat(30) })
    fc.assert(
      fc.property(fc.array(answer, { maxLength: 60 }), (answers) => {
        let atMs = 0
        const changes = follow(
          answers.map(({ gap, leader, epoch }) => ({ atMs: (atMs += gap), leaderId: leader, leaderEpoch: leader === null ? null : epoch })),
        )
        const turns = changes.filter(({ kind }) => kind !== 'controller-elected').map(({ kind }) => kind)
        expect(turns).toEqual(turns.map((_unused, index) => (index % 2 === 0 ? 'quorum-lost' : 'quorum-returned')))
        const epochs = changes.map(({ epoch }) => epoch)
        expect(epochs).toEqual([...epochs].sort((a, b) => a - b))
      }),
    )
  })
})
