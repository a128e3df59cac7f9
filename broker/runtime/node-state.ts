import type { NodeState } from './types.ts'

/** What can happen to a node; the table is the one in types.ts. */
export type NodeEvent = 'launch' | 'ready' | 'pause' | 'resume' | 'stop' | 'kill' | 'exited-cleanly' | 'exited-badly'

const transitions: Readonly<Record<NodeState, Readonly<Partial<Record<NodeEvent, NodeState>>>>> = {
  stopped: { launch: 'starting' },
  crashed: { launch: 'starting' },
  starting: { ready: 'running', stop: 'stopping', kill: 'stopping', 'exited-cleanly': 'stopped', 'exited-badly': 'crashed' },
  running: { pause: 'paused', stop: 'stopping', kill: 'stopping', 'exited-cleanly': 'stopped', 'exited-badly': 'crashed' },
  paused: { resume: 'running', stop: 'stopping', kill: 'stopping', 'exited-cleanly': 'stopped', 'exited-badly': 'crashed' },
  stopping: { kill: 'stopping', 'exited-cleanly': 'stopped', 'exited-badly': 'stopped' },
}

/** `null`: this state does not allow it. */
export function nextNodeState(state: NodeState, event: NodeEvent): NodeState | null {
  return transitions[state][event] ?? null
}

export function hasProcess(state: NodeState): boolean {
  return state !== 'stopped' && state !== 'crashed'
}
