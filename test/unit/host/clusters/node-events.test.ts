import { expect, test } from 'vitest'
import { nodeSentence } from '../../../../broker/host/clusters/node-events.ts'
import type { NodeExit, NodeState } from '../../../../broker/runtime/types.ts'

const exit = (how: Partial<NodeExit>): NodeExit => ({ code: null, signal: null, atMs: 0, reason: null, ...how })

test.each<[NodeState, NodeExit | null, string]>([
  ['running', null, 'Broker 2 is running.'],
  ['stopped', exit({ code: 0 }), 'Broker 2 is stopped.'],
  ['stopped', exit({ signal: 'SIGKILL' }), 'Broker 2 was killed (SIGKILL).'],
  ['crashed', exit({ signal: 'SIGSEGV' }), 'Broker 2 ended unasked (SIGSEGV).'],
  ['crashed', exit({ code: 1 }), 'Broker 2 ended unasked (code 1).'],
])('of a node that is %s, having ended with %j, the journal says so', (state, how, sentence) => {
  expect(nodeSentence({ id: 2, role: 'broker', state, exit: how })).toBe(sentence)
})
