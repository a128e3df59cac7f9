import type { NodeState, NodeView } from '../../broker/contract/nodes.ts'
import type { BrokerSummary, ControllerSummary, QuorumView } from '../../broker/contract/overview.ts'
import { nodeLabels, nodeTones } from './node-actions.ts'
import type { Tone } from './tone.ts'

/** A broker as the cluster sees it, joined with its process as the runtime sees it. The process is the newer truth. */
export interface BrokerRow {
  id: number
  tone: Tone
  label: string
  /** Null on remote clusters. */
  state: NodeState | null
  process: NodeView | null
  summary: BrokerSummary | null
  problem: string | null
}

export function brokerRows(summaries: readonly BrokerSummary[], nodes: readonly NodeView[]): BrokerRow[] {
  const processes = nodes.filter((node) => node.role === 'broker')
  const ids = [...new Set([...summaries.map((summary) => summary.id), ...processes.map((node) => node.id)])].sort((a, b) => a - b)
  return ids.map((id) => {
    const summary = summaries.find((candidate) => candidate.id === id) ?? null
    const process = processes.find((candidate) => candidate.id === id) ?? null
    const state = process?.state ?? summary?.node ?? null
    return {
      id,
      summary,
      process,
      state,
      ...brokerStanding(state, summary?.isAlive ?? false, process?.exit?.signal),
      problem: exitOf(process) ?? summary?.problem ?? null,
    }
  })
}

/** What is said of a broker: its process's state, and while that runs whether the cluster counts it in. `signal` is that of the process's last end. */
export function brokerStanding(state: NodeState | null, isAlive: boolean, signal: string | null = null): { tone: Tone; label: string } {
  if (state !== null && state !== 'running') return processStanding(state, signal)
  if (isAlive) return { tone: 'ok', label: 'Alive' }
  return state === 'running' ? { tone: 'busy', label: 'Joining' } : { tone: 'bad', label: 'Dead' }
}

/** A process that a signal ended is dead, whoever sent it. */
function processStanding(state: NodeState, signal: string | null = null): { tone: Tone; label: string } {
  const shown = state === 'stopped' && signal !== null ? 'crashed' : state
  return { tone: nodeTones[shown], label: nodeLabels[shown] }
}

function exitOf(process: NodeView | null): string | null {
  return process !== null && process.state === 'crashed' ? (process.exit?.reason ?? null) : null
}

export interface ControllerRow {
  id: number
  tone: Tone
  label: string
  state: NodeState | null
  process: NodeView | null
  voter: ControllerSummary | null
  isActive: boolean
}

export function controllerRows(quorum: QuorumView | null, nodes: readonly NodeView[]): ControllerRow[] {
  const processes = nodes.filter((node) => node.role === 'controller')
  const voters = quorum?.voters ?? []
  const ids = [...new Set([...voters.map((voter) => voter.id), ...processes.map((node) => node.id)])].sort((a, b) => a - b)
  return ids.map((id) => {
    const voter = voters.find((candidate) => candidate.id === id) ?? null
    const process = processes.find((candidate) => candidate.id === id) ?? null
    const state = process?.state ?? voter?.node ?? null
    const runs = state === null || state === 'running'
    const isActive = runs && quorum?.leaderId === id
    const standing = runs ? standingOf(quorum, isActive) : processStanding(state, process?.exit?.signal)
    return { id, voter, process, state, isActive, ...standing }
  })
}

function standingOf(quorum: QuorumView | null, isActive: boolean): { tone: Tone; label: string } {
  if (quorum === null) return { tone: 'busy', label: 'Joining' }
  if (quorum.leaderId === null) return { tone: 'bad', label: 'No leader' }
  return { tone: 'ok', label: isActive ? 'Active' : 'Following' }
}

/** A quorum that nobody leads, as sentences: why, and what still works. Null while one leads, or none is known. */
export function quorumProblem(quorum: QuorumView | null, rows: readonly ControllerRow[]): string | null {
  if (quorum === null || quorum.leaderId !== null || rows.length === 0) return null
  const running = rows.filter(({ state }) => state === 'running').length
  const needed = Math.floor(rows.length / 2) + 1
  const isKnown = rows.every(({ state }) => state !== null)
  const why =
    isKnown && running < needed
      ? `The controller quorum is lost: ${running} of ${rows.length} controllers ${running === 1 ? 'runs' : 'run'} and ${needed} are needed.`
      : 'No controller leads the quorum at the moment.'
  return `${why} Brokers go on with the topics, leaders and groups they know. Creating topics, changing settings, electing leaders and taking brokers back in wait.`
}
