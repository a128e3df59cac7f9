import { describe, expect, it } from 'vitest'
import type { NodeState, NodeView } from '../../../broker/contract/nodes.ts'
import type { QuorumView } from '../../../broker/contract/overview.ts'
import { controllerRows, quorumProblem } from '../../../renderer/lib/broker-rows.ts'

const processOf = (id: number, state: NodeState): NodeView =>
  ({ id, role: 'controller', state, pid: 1, port: 1, sinceMs: 0, exit: null }) as unknown as NodeView
const processes = (...states: readonly NodeState[]) => states.map((state, index) => processOf(1001 + index, state))

const quorum = (leaderId: number | null): QuorumView => ({
  leaderId,
  leaderEpoch: 3,
  highWatermark: 10,
  observers: [],
  voters: [1001, 1002, 1003].map((id) => ({ id, role: 'follower', node: null, pid: null, logEndOffset: 10, lag: 0 })),
})
const labels = (view: QuorumView | null, nodes: readonly NodeView[]) => controllerRows(view, nodes).map(({ label }) => label)
const problem = (view: QuorumView | null, nodes: readonly NodeView[]) => quorumProblem(view, controllerRows(view, nodes))

describe('controllers', () => {
  it('are active, following or dead', () => {
    expect(labels(quorum(1002), processes('running', 'running', 'crashed'))).toEqual(['Following', 'Active', 'Dead'])
  })

  it('killed on request are dead as those killed from elsewhere, and stopped in order are stopped', () => {
    const ended = (id: number, signal: string | null): NodeView => ({
      ...processOf(id, 'stopped'),
      exit: { code: signal === null ? 0 : null, signal, atMs: 0, reason: '' },
    })
    expect(labels(quorum(1001), [processOf(1001, 'running'), ended(1002, 'SIGKILL'), ended(1003, null)])).toEqual([
      'Active',
      'Dead',
      'Stopped',
    ])
  })

  it('are not said to follow while nobody leads', () => {
    expect(labels(quorum(null), processes('running', 'stopped', 'stopped'))[0]).toBe('No leader')
    expect(labels(null, processes('running'))).toEqual(['Joining'])
  })
})

describe('the quorum', () => {
  it('led by someone has no problem, and neither has one that is not known', () => {
    expect(problem(quorum(1001), processes('running', 'running', 'stopped'))).toBeNull()
    expect(problem(null, processes('running'))).toBeNull()
  })

  it('lost, is said to be, with how many are missing and what goes on', () => {
    const text = problem(quorum(null), processes('running', 'crashed', 'stopped'))
    expect(text).toContain('lost: 1 of 3 controllers runs and 2 are needed')
    expect(text).toContain('Brokers go on')
  })

  it('between two leaders is not called lost', () => {
    expect(problem(quorum(null), processes('running', 'running', 'stopped'))).toContain('at the moment')
  })

  it('in processes that are not seen is not counted', () => {
    expect(problem(quorum(null), [])).toContain('at the moment')
  })
})
