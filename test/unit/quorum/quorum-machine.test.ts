import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { initialQuorumState, step } from '../../../broker/quorum/quorum-machine.ts'
import { QUORUM_TIMEOUTS, type LogFacts, type QuorumEvent, type QuorumStep, type ReplicaKey } from '../../../broker/quorum/types.ts'
import { FAIR, SimulatedQuorum } from './simulated-quorum.ts'

const allAgree = (quorum: SimulatedQuorum): boolean => {
  const leader = quorum.leader()
  if (leader === undefined || leader.state.highWatermark !== leader.log.length) return false
  return quorum.nodes.every(
    (node) => node.life !== null && node.state.epoch === leader.state.epoch && node.state.highWatermark === leader.log.length,
  )
}

function started(voterCount: number, seed: number): SimulatedQuorum {
  const quorum = new SimulatedQuorum(voterCount, seed)
  for (const node of quorum.nodes) quorum.start(node)
  return quorum
}

describe('a quorum of one', () => {
  it('leads without waiting for anyone and commits what it has flushed', () => {
    const quorum = started(1, 1)
    expect(quorum.leader()?.state.epoch).toBe(1)
    quorum.append('a')
    expect(quorum.run(1_000, () => quorum.committed.length === 2)).toBe(true)
    expect(quorum.committed.map(({ value }) => value)).toEqual(['leader 1001', 'a'])
  })

  it('leads a new epoch after a crash and keeps what was committed', () => {
    const quorum = started(1, 2)
    quorum.append('a')
    quorum.run(1_000)
    const [node] = quorum.nodes
    quorum.crash(node!)
    quorum.start(node!)
    expect(node!.state).toMatchObject({ epoch: 2, role: { name: 'leader' } })
    expect(quorum.run(1_000, () => allAgree(quorum))).toBe(true)
    expect(quorum.committed.map(({ value }) => value)).toEqual(['leader 1001', 'a', 'leader 1001'])
  })
})

describe('a quorum of three', () => {
  it('elects its first named voter at once when it never had a leader', () => {
    const quorum = started(3, 3)
    expect(quorum.run(200, () => allAgree(quorum))).toBe(true)
    expect(quorum.leader()?.id).toBe(1001)
    expect(quorum.nowMs).toBeLessThan(200)
  })

  it('replaces a dead leader and keeps every committed record', () => {
    const quorum = started(3, 4)
    quorum.run(500, () => allAgree(quorum))
    for (const value of ['a', 'b', 'c']) quorum.append(value)
    quorum.run(1_000, () => allAgree(quorum))
    quorum.crash(quorum.leader()!)
    expect(quorum.run(10_000, () => quorum.leader() !== undefined && quorum.leader()!.state.highWatermark > 4)).toBe(true)
    expect(quorum.committed.slice(0, 4).map(({ value }) => value)).toEqual(['leader 1001', 'a', 'b', 'c'])
  })

  it('commits nothing while a majority is down, and the cut-off leader steps down', () => {
    const quorum = started(3, 5)
    quorum.run(500, () => allAgree(quorum))
    const leader = quorum.leader()!
    const before = quorum.committed.length
    for (const node of quorum.nodes) if (node !== leader) quorum.crash(node)
    quorum.append('lost')
    expect(quorum.run(10_000, () => quorum.leader() === undefined)).toBe(true)
    expect(quorum.committed.length).toBe(before)
  })

  it('restarts whole within a second: the one who led last runs at once', () => {
    const quorum = started(3, 6)
    quorum.run(500, () => allAgree(quorum))
    for (const node of quorum.nodes) quorum.crash(node)
    for (const node of quorum.nodes) quorum.start(node)
    expect(quorum.run(1_000, () => allAgree(quorum))).toBe(true)
  })

  it('restarts within a second also without the one who led last', () => {
    const quorum = started(3, 8)
    quorum.run(500, () => allAgree(quorum))
    const led = quorum.leader()!
    for (const node of quorum.nodes) quorum.crash(node)
    for (const node of quorum.nodes) if (node !== led) quorum.start(node)
    expect(quorum.run(1_000, () => quorum.leader() !== undefined)).toBe(true)
    expect(quorum.leader()).not.toBe(led)
  })

  it('is not disturbed by a voter that returns with an old log', () => {
    const quorum = started(3, 7)
    quorum.run(500, () => allAgree(quorum))
    const follower = quorum.nodes.find((node) => node.state.role.name === 'follower')!
    quorum.crash(follower)
    quorum.append('while away')
    quorum.run(5_000)
    const { epoch } = quorum.leader()!.state
    quorum.start(follower)
    expect(quorum.run(2_000, () => allAgree(quorum))).toBe(true)
    expect(quorum.leader()!.state.epoch).toBe(epoch)
  })
})

const self = { id: 1001, directoryId: 'a' }
const follower = { id: 1002, directoryId: 'b' }
const voters = [self, follower, { id: 1003, directoryId: 'c' }]
const log: LogFacts = {
  endOffset: 0,
  startOffset: 0,
  flushedOffset: 0,
  lastEpoch: 0,
  latestSnapshot: null,
  endOffsetForEpoch: () => null,
}

/** Node 1001 of three, started at time 0. */
function firstStart(): QuorumStep {
  const config = { self, clusterId: 'c', ...QUORUM_TIMEOUTS }
  return step(initialQuorumState(config, voters, { epoch: 0, leaderId: null, votedFor: null }), { type: 'start' }, log, 0)
}

/** What node `from` says to the vote that was asked for last; null for no answer. */
function afterVote(turn: QuorumStep, from: number, voteGranted: boolean | null): QuorumStep {
  const request = turn.effects.flatMap((effect) => (effect.type === 'send' && effect.request.api === 'vote' ? [effect.request] : []))[0]!
  const { epoch } = request
  const response = voteGranted === null ? null : ({ api: 'vote', errorCode: 0, leaderId: null, epoch, voteGranted } as const)
  const after = step(turn.state, { type: 'response', from, request, response }, log, 0)
  // Another answer to the same request may follow.
  return after.effects.some((effect) => effect.type === 'send') ? after : { ...after, effects: [...after.effects, ...turn.effects] }
}

describe('a candidate', () => {
  const runsAgain = ({ effects }: QuorumStep) =>
    effects.some((effect) => effect.type === 'timer' && effect.timer === 'election' && effect.delayMs === 0)

  it('whom one refuses while the others are dead runs again soon: the vote was split, and nobody else can settle it', () => {
    const candidate = afterVote(firstStart(), 1002, true)
    expect(candidate.state.role.name).toBe('candidate')
    expect(runsAgain(afterVote(candidate, 1002, false))).toBe(false)
    expect(runsAgain(afterVote(afterVote(candidate, 1002, false), 1003, null))).toBe(true)
    expect(runsAgain(afterVote(afterVote(candidate, 1003, null), 1002, false))).toBe(true)
  })

  it('whom nobody answers waits, and is elected by whoever answers after all', () => {
    const candidate = afterVote(firstStart(), 1002, true)
    const unheard = afterVote(afterVote(candidate, 1002, null), 1003, null)
    expect(runsAgain(unheard)).toBe(false)
    expect(afterVote(unheard, 1003, true).state.role.name).toBe('leader')
  })

  it('who was refused once asks those who did not answer again, and nobody else', () => {
    const split = afterVote(afterVote(afterVote(firstStart(), 1002, true), 1002, false), 1003, null)
    const asked = step(split.state, { type: 'timer', timer: 'retryVote' }, log, 0).effects
    expect(asked.flatMap((effect) => (effect.type === 'send' ? [effect.to] : []))).toEqual([1003])
  })
})

describe('a leader', () => {
  const steppedDownAfterMs = QUORUM_TIMEOUTS.fetchTimeoutMs * 1.5

  /** Elected at time 0 by node 1002. */
  function elected(): QuorumStep {
    let turn = firstStart()
    while (turn.state.role.name !== 'leader') turn = afterVote(turn, follower.id, true)
    return turn
  }

  function roleAfter(event: QuorumEvent | null): string {
    const { state } = elected()
    const asked = event === null ? state : step(state, event, log, steppedDownAfterMs - 100).state
    return step(asked, { type: 'timer', timer: 'checkQuorum' }, log, steppedDownAfterMs).state.role.name
  }

  const contact = (replica: ReplicaKey, epoch = 1): QuorumEvent => ({ type: 'contact', replica, epoch })

  it('that no majority is in contact with steps down', () => {
    expect(roleAfter(null)).toBe('resigned')
  })

  it('goes on leading while a majority fetches a snapshot from it', () => {
    expect(roleAfter(contact(follower))).toBe('leader')
  })

  it('takes no observer, no voter with another disk, and nobody of another epoch for a voter that follows', () => {
    expect(roleAfter(contact({ id: 1, directoryId: 'x' }))).toBe('resigned')
    expect(roleAfter(contact({ ...follower, directoryId: 'x' }))).toBe('resigned')
    expect(roleAfter(contact(follower, 0))).toBe('resigned')
  })
})

describe('a voter that fell behind the start of the log', () => {
  it('takes over a snapshot and follows from there', () => {
    const quorum = started(3, 9)
    quorum.run(500, () => allAgree(quorum))
    const behind = quorum.nodes.find((node) => node.state.role.name === 'follower')!
    quorum.crash(behind)
    for (const value of ['a', 'b', 'c', 'd']) {
      quorum.append(value)
      quorum.run(500)
      quorum.snapshot(quorum.leader()!)
    }
    quorum.start(behind)
    expect(quorum.run(2_000, () => allAgree(quorum))).toBe(true)
    expect(quorum.snapshotsInstalled).toBe(1)
    expect(behind.startOffset).toBeGreaterThan(0)
  })
})

describe('a follower whose log parts from the leader’s', () => {
  it('takes nothing for committed until all of its log is known to be the leader’s', () => {
    const self = { id: 1002, directoryId: 'b' }
    const voters = [{ id: 1001, directoryId: 'a' }, self, { id: 1003, directoryId: 'c' }]
    const config = { self, clusterId: 'c', ...QUORUM_TIMEOUTS }
    // Epoch 2 up to 11, epoch 4 up to 16; the leader has epoch 3 from 7 on, so that cutting at 11 is not enough.
    let endOffset = 16
    const log = (): LogFacts => ({
      endOffset,
      startOffset: 0,
      flushedOffset: endOffset,
      lastEpoch: endOffset > 11 ? 4 : 2,
      latestSnapshot: null,
      endOffsetForEpoch: (epoch) =>
        epoch < 2 ? null : epoch < 4 || endOffset <= 11 ? { epoch: 2, endOffset: Math.min(11, endOffset) } : { epoch: 4, endOffset },
    })
    const started = step(initialQuorumState(config, voters, { epoch: 5, leaderId: 1003, votedFor: null }), { type: 'start' }, log(), 0)
    const fetch = started.effects.flatMap((effect) =>
      effect.type === 'send' && effect.request.api === 'fetch' ? [effect.request] : [],
    )[0]!
    const head = {
      api: 'fetch',
      errorCode: 0,
      leaderId: 1003,
      epoch: 5,
      logStartOffset: 0,
      snapshot: null,
      records: Buffer.alloc(0),
    } as const
    const answer = { ...head, highWatermark: 20, diverging: { epoch: 3, endOffset: 16 } }
    const cut = step(started.state, { type: 'response', from: 1003, request: fetch, response: answer }, log(), 1)
    expect(cut.effects).toContainEqual({ type: 'truncate', toOffset: 11 })
    endOffset = 11
    const after = step(cut.state, { type: 'logChanged' }, log(), 2)
    expect(after.state.highWatermark).toBe(-1)
    expect(after.effects.map(({ type }) => type)).toContain('send')
  })
})

describe('whatever the weather', () => {
  it('has one leader per epoch, never loses a committed record, stores votes before it answers, and recovers', () => {
    let elections = 0
    let snapshotsInstalled = 0
    const lifetime = fc.property(fc.integer(), fc.constantFrom(3, 5), (seed, voterCount) => {
      const quorum = started(voterCount, seed)
      for (let round = 0; round < 30; round++) {
        const node = quorum.nodes[quorum.below(voterCount)]!
        quorum.weather = {
          lossRate: (quorum.below(2) * quorum.below(30)) / 100,
          duplicateRate: 0.1,
          delayMaxMs: [2, 2, 20, 200, 2_000][quorum.below(5)]!,
          cutOff: quorum.below(2) === 0 ? node.id : null,
        }
        for (let appended = 0; appended < 3; appended++) {
          quorum.append(`${seed}/${round}/${appended}`)
          quorum.run(quorum.below(1_000))
        }
        if (quorum.below(3) === 0) quorum.snapshot(quorum.nodes[quorum.below(voterCount)]!)
        if (quorum.below(4) === 0) {
          if (quorum.isUp(node)) quorum.crash(node)
          else quorum.start(node)
        }
      }
      quorum.weather = FAIR
      for (const node of quorum.nodes) if (!quorum.isUp(node)) quorum.start(node)
      quorum.run(5_000)
      quorum.append('after healing')
      expect(quorum.run(60_000, () => allAgree(quorum))).toBe(true)
      elections += quorum.elections
      snapshotsInstalled += quorum.snapshotsInstalled
    })
    fc.assert(lifetime, { numRuns: 400 })
    expect(elections).toBeGreaterThan(150)
    expect(snapshotsInstalled).toBeGreaterThan(20)
  }, 30_000)
})
