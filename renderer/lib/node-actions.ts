import type { NodeState } from '../../broker/contract/nodes.ts'
import type { Tone } from './tone.ts'

export type NodeAction = 'start' | 'stop' | 'kill' | 'restart' | 'pause' | 'resume'

interface NodeActionInfo {
  label: string
  done: string
  icon: string
  hint: string
}

export const nodeActions: Readonly<Record<NodeAction, NodeActionInfo>> = {
  start: { label: 'Start', done: 'started', icon: 'i-lucide-play', hint: 'Starts the process; it recovers its log and joins the cluster.' },
  stop: { label: 'Stop', done: 'stopped', icon: 'i-lucide-square', hint: 'Stops it cleanly: leadership is handed over first.' },
  kill: { label: 'Kill', done: 'killed', icon: 'i-lucide-skull', hint: 'SIGKILL: nothing is flushed, nothing is handed over.' },
  restart: { label: 'Restart', done: 'restarted', icon: 'i-lucide-rotate-cw', hint: 'Stops it cleanly and starts it again.' },
  pause: { label: 'Pause', done: 'paused', icon: 'i-lucide-pause', hint: 'SIGSTOP: its connections stay open and nothing answers.' },
  resume: { label: 'Resume', done: 'resumed', icon: 'i-lucide-play', hint: 'SIGCONT: it goes on where it was frozen.' },
}

/** What a person may ask of a process in each state. */
export function actionsFor(state: NodeState): readonly NodeAction[] {
  switch (state) {
    case 'running':
      return ['stop', 'restart', 'pause', 'kill']
    case 'paused':
      return ['resume', 'kill']
    case 'starting':
    case 'stopping':
      return ['kill']
    case 'stopped':
    case 'crashed':
      return ['start']
  }
}

/** Controllers have ids from 1001, brokers from 1. */
export function nodeName(nodeId: number): string {
  return nodeId >= 1000 ? `Controller ${nodeId}` : `Broker ${nodeId}`
}

export const nodeTones: Readonly<Record<NodeState, Tone>> = {
  starting: 'busy',
  running: 'ok',
  paused: 'warn',
  stopping: 'busy',
  stopped: 'idle',
  crashed: 'bad',
}

export const nodeLabels: Readonly<Record<NodeState, string>> = {
  starting: 'Starting',
  running: 'Running',
  paused: 'Paused',
  stopping: 'Stopping',
  stopped: 'Stopped',
  crashed: 'Dead',
}
