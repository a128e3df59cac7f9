import type { Env, Timer } from '../../env/types.ts'
import { ClientError } from '../error.ts'
import type { AcceptedRecord } from './accepted-record.ts'

/** Records in line; more are refused at once. */
const LINE_RECORDS_MAX = 1_000_000
/** Places given up at the front of the line before it is moved up. */
const COMPACT_AFTER = 65_536

/**
 * The producer's bound on what is accepted and not yet acknowledged. Who finds it full waits in line, first come, first
 * served, until its own deadline.
 *
 * Invariant: nobody is admitted past somebody in line.
 */
export class BufferMemory {
  readonly #env: Pick<Env, 'clock' | 'timers'>
  readonly #bytesMax: number
  readonly #admit: (accepted: AcceptedRecord) => void
  /** In line from `#head` on; what is before has been admitted. */
  #line: AcceptedRecord[] = []
  #head = 0
  #isAdmitting = false
  #usedBytes = 0
  #timer: Timer | null = null

  constructor(env: Pick<Env, 'clock' | 'timers'>, bytesMax: number, admit: (accepted: AcceptedRecord) => void) {
    this.#env = env
    this.#bytesMax = bytesMax
    this.#admit = admit
  }

  get usedBytes(): number {
    return this.#usedBytes
  }

  get isLineFull(): boolean {
    return this.#line.length - this.#head >= LINE_RECORDS_MAX
  }

  /** Admits the record now or when it is its turn; one larger than the bound when it is alone. */
  take(accepted: AcceptedRecord): void {
    if (this.#line.length === this.#head && this.#hasRoom(accepted)) {
      this.#give(accepted)
      return
    }
    this.#line.push(accepted)
    this.#watchDeadlines()
  }

  release(accepted: AcceptedRecord): void {
    if (!accepted.hasMemory) return
    accepted.hasMemory = false
    this.#usedBytes -= accepted.sizeBytes
    // Admitting may settle a record at once, which comes back here; the loop below sees the room it left.
    if (!this.#isAdmitting) this.#admitFromLine()
  }

  /** Empties the line without admitting. */
  takeLine(): AcceptedRecord[] {
    const line = this.#line.slice(this.#head)
    this.#line = []
    this.#head = 0
    this.#timer?.cancel()
    return line
  }

  #admitFromLine(): void {
    this.#isAdmitting = true
    while (this.#head < this.#line.length && this.#hasRoom(this.#line[this.#head] as AcceptedRecord)) {
      this.#give(this.#line[this.#head++] as AcceptedRecord)
    }
    if (this.#head === this.#line.length || this.#head > COMPACT_AFTER) {
      this.#line = this.#line.slice(this.#head)
      this.#head = 0
    }
    this.#isAdmitting = false
  }

  #hasRoom(accepted: AcceptedRecord): boolean {
    return this.#usedBytes === 0 || this.#usedBytes + accepted.sizeBytes <= this.#bytesMax
  }

  #give(accepted: AcceptedRecord): void {
    accepted.hasMemory = true
    this.#usedBytes += accepted.sizeBytes
    this.#admit(accepted)
  }

  #watchDeadlines(): void {
    if (this.#timer !== null) return
    const nextMs = this.#line.slice(this.#head).reduce((earliest, { deadlineMs }) => Math.min(earliest, deadlineMs), Infinity)
    if (nextMs === Infinity) return
    this.#timer = this.#env.timers.after(Math.max(0, nextMs - this.#env.clock.monotonicMs()), () => {
      this.#timer = null
      const nowMs = this.#env.clock.monotonicMs()
      const line = this.#line.slice(this.#head)
      const expired = line.filter(({ deadlineMs }) => deadlineMs <= nowMs)
      this.#line = line.filter(({ deadlineMs }) => deadlineMs > nowMs)
      this.#head = 0
      for (const accepted of expired) {
        accepted.settle(
          new ClientError('BUFFER_FULL', `The producer's buffer of ${this.#bytesMax} bytes stayed full until the record's deadline.`),
        )
      }
      this.#watchDeadlines()
    })
  }
}
