/** What the simulator finds wrong, collected; the first one ends a lifetime. */

export type InvariantName =
  | 'one quorum leader per epoch'
  | 'one partition leader per leader epoch'
  | 'committed metadata is never lost'
  | 'the high watermark never falls within a leader epoch'
  | 'content below a high watermark never changes'
  | 'acknowledged records are not lost'
  | 'records of a producer keep their order'
  | 'records of an idempotent producer are not duplicated'
  | 'committed offsets never go back'
  | 'a group skips no record'
  | 'progress resumes after healing'
  | 'writing goes on without a lagging follower'

export interface Violation {
  readonly invariant: InvariantName
  readonly atMs: number
  readonly detail: string
}

/** Those that may be broken once enough replicas of a partition have lost what was not synced. */
const excusedByLoss: ReadonlySet<InvariantName> = new Set<InvariantName>([
  'the high watermark never falls within a leader epoch',
  'content below a high watermark never changes',
  'acknowledged records are not lost',
  'records of an idempotent producer are not duplicated',
  'records of a producer keep their order',
  'committed offsets never go back',
  'a group skips no record',
])

export class Violations {
  readonly found: Violation[] = []
  /** Broken after losses beyond the bound: to be expected, and told. */
  readonly expected: Violation[] = []
  readonly #nowMs: () => number
  readonly #first = Promise.withResolvers<void>()
  #isBeyondBound = false

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  /** Resolves at the first violation that nothing excuses. */
  get first(): Promise<void> {
    return this.#first.promise
  }

  get isBeyondBound(): boolean {
    return this.#isBeyondBound
  }

  /** From now on losses are expected. */
  beyondBound(): void {
    this.#isBeyondBound = true
  }

  report(invariant: InvariantName, detail: string): void {
    const violation = { invariant, atMs: this.#nowMs(), detail }
    if (this.#isBeyondBound && excusedByLoss.has(invariant)) {
      this.expected.push(violation)
      return
    }
    this.found.push(violation)
    this.#first.resolve()
  }
}
