/**
 * One step being taken: the state so far and the effects it has asked for.
 *
 * Lives only within `step`, so that rules may be written as plain statements while the machine as a whole stays a function
 * from state and event to state and effects.
 */
import type { LogFacts, QuorumEffect, QuorumState, ReplicaKey, Role } from './types.ts'
import { isVoter } from './voter-set.ts'

export class Turn {
  state: QuorumState
  readonly effects: QuorumEffect[] = []
  readonly log: LogFacts
  /** Monotonic. */
  readonly nowMs: number

  constructor(state: QuorumState, log: LogFacts, nowMs: number) {
    this.state = state
    this.log = log
    this.nowMs = nowMs
  }

  emit(...effects: readonly QuorumEffect[]): void {
    this.effects.push(...effects)
  }

  /** Replaces the role within its epoch. */
  update(role: Role): void {
    this.state = { ...this.state, role }
  }

  /** Enters a role, in this epoch or a later one; the timers of the former role end. */
  enter(role: Role, election: { readonly epoch: number; readonly leaderId: number | null; readonly votedFor: ReplicaKey | null }): void {
    if (election.epoch < this.state.epoch) {
      throw new Error(`the quorum epoch may not go back from ${this.state.epoch} to ${election.epoch}`)
    }
    this.emit({ type: 'clearTimers' })
    this.state = { ...this.state, ...election, role }
  }

  /** Moves the high watermark up; a lower value is old news. */
  advanceHighWatermark(offset: number): void {
    if (offset <= this.state.highWatermark) return
    this.state = { ...this.state, highWatermark: offset }
    this.emit({ type: 'highWatermark', offset })
  }

  get selfId(): number {
    return this.state.config.self.id
  }

  get isVoter(): boolean {
    return isVoter(this.state.voters, this.selfId)
  }

  get otherVoters(): readonly ReplicaKey[] {
    return this.state.voters.filter((voter) => voter.id !== this.selfId)
  }
}
