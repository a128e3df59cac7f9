import fc from 'fast-check'
import { expect, test } from 'vitest'
import { hasProcess, nextNodeState, type NodeEvent } from '../../../broker/runtime/node-state.ts'
import type { NodeState } from '../../../broker/runtime/types.ts'

const states: readonly NodeState[] = ['starting', 'running', 'paused', 'stopping', 'stopped', 'crashed']
const events: readonly NodeEvent[] = ['launch', 'ready', 'pause', 'resume', 'stop', 'kill', 'exited-cleanly', 'exited-badly']

test('a process that ends unasked with a failure leaves the node crashed', () => {
  for (const state of ['starting', 'running', 'paused'] as const) expect(nextNodeState(state, 'exited-badly')).toBe('crashed')
})

test('a process that ends after a stop or a kill leaves the node stopped, whatever its exit code', () => {
  expect(nextNodeState('stopping', 'exited-badly')).toBe('stopped')
  expect(nextNodeState('stopping', 'exited-cleanly')).toBe('stopped')
})

test('only a node without a process can be launched, and only one with a process can end', () => {
  for (const state of states) {
    expect(nextNodeState(state, 'launch') !== null).toBe(!hasProcess(state))
    expect(nextNodeState(state, 'exited-badly') !== null).toBe(hasProcess(state))
  }
})

test('a paused node resumes to running, and nothing else can be resumed', () => {
  for (const state of states) expect(nextNodeState(state, 'resume')).toBe(state === 'paused' ? 'running' : null)
})

test('after any history a node can be brought back to stopped', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...events)), (history) => {
      let state: NodeState = 'stopped'
      for (const event of history) state = nextNodeState(state, event) ?? state
      for (const event of ['kill', 'exited-badly'] as const) state = nextNodeState(state, event) ?? state
      expect(['stopped', 'crashed']).toContain(state)
    }),
  )
})
