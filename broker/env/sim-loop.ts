/**
 * Virtual time. Everything that happens in a simulated world is an event here; events run one at a time, ordered by
 * their time and then by when they were scheduled, with all promise reactions of one finished before the next starts.
 *
 * What is due now runs by itself, so a test may simply await I/O without latency; what is due in the future runs only
 * when time is moved by `advance` or `run`.
 */
import type { Clock, Scheduler, Timers } from './types.ts'

/** One life of a simulated process: what it scheduled dies with it. */
export interface SimulatedProcess {
  readonly name: string
  isAlive: boolean
}

interface Event {
  dueMs: number
  sequence: number
  readonly owner: SimulatedProcess | null
  callback: (() => void) | null
}

/** Virtual time moves in steps of this many a millisecond: a power of two, so that sums of times are exact. */
const TICKS_A_MS = 1024
/** Events run before the real event loop gets a turn of its own. */
const EVENTS_A_TURN = 256

/** `run` gives up after this much virtual time: what it waits for can only be stuck. */
const runLimitMs = 24 * 60 * 60 * 1000

export class SimulatedLoop implements Clock {
  /** Hears of every event before it runs: for following a run step by step. */
  onEvent: ((owner: SimulatedProcess | null, atMs: number) => void) | null = null
  readonly #startMs: number
  readonly #heap: Event[] = []
  /** What fell due for a process while it was paused, in order. */
  readonly #held = new Map<SimulatedProcess, Event[]>()
  #elapsedMs = 0
  #sequence = 0
  #isDriven = false
  #isPumpScheduled = false

  constructor(startMs: number) {
    this.#startMs = startMs
  }

  nowMs(): number {
    return Math.floor(this.#startMs + this.#elapsedMs)
  }

  monotonicMs(): number {
    return this.#elapsedMs
  }

  schedule(owner: SimulatedProcess | null, delayMs: number, callback: () => void): { cancel(): void } {
    const event: Event = {
      dueMs: this.#elapsedMs + wholeTicks(delayMs),
      sequence: this.#sequence++,
      owner,
      callback,
    }
    push(this.#heap, event)
    this.#pumpSoon()
    return {
      cancel: () => {
        event.callback = null
      },
    }
  }

  /** Nothing of the process runs until it is resumed, as after SIGSTOP; what falls due meanwhile waits. */
  pause(process: SimulatedProcess): void {
    if (!this.#held.has(process)) this.#held.set(process, [])
  }

  resume(process: SimulatedProcess): void {
    const held = this.#held.get(process) ?? []
    this.#held.delete(process)
    for (const event of held) {
      event.dueMs = this.#elapsedMs
      event.sequence = this.#sequence++
      push(this.#heap, event)
    }
    this.#pumpSoon()
  }

  isPaused(process: SimulatedProcess): boolean {
    return this.#held.has(process)
  }

  /** Runs everything due within the next `ms`, and stands there. */
  async advance(ms: number): Promise<void> {
    const targetMs = this.#elapsedMs + wholeTicks(ms)
    await this.#drive(() => {
      const next = this.#heap[0]
      return next === undefined || next.dueMs > targetMs
    })
    this.#elapsedMs = targetMs
    this.#pumpSoon()
  }

  /** Moves time until `operation` settles. Rejects when nothing is left that could settle it. */
  async run<T>(operation: Promise<T>): Promise<T> {
    let isSettled = false
    const settled = (): void => {
      isSettled = true
    }
    operation.then(settled, settled)
    const limitMs = this.#elapsedMs + runLimitMs
    await this.#drive(() => {
      if (isSettled) return true
      const next = this.#heap[0]
      if (next === undefined || next.dueMs > limitMs) throw new Error('nothing left to happen, and the operation has not settled')
      return false
    })
    return operation
  }

  timersOf(owner: SimulatedProcess): Timers {
    return { after: (delayMs, callback) => this.schedule(owner, delayMs, callback) }
  }

  schedulerOf(owner: SimulatedProcess): Scheduler {
    return {
      afterTurn: (callback) => void this.schedule(owner, 0, callback),
      yieldTurn: () => new Promise((resolve) => this.schedule(owner, 0, resolve)),
    }
  }

  /** Runs event after event until `isDone`, which is asked between events and may throw. */
  #drive(isDone: () => boolean): Promise<void> {
    if (this.#isDriven) throw new Error('time is already being moved: await the previous advance or run first')
    this.#isDriven = true
    return new Promise((resolve, reject) => {
      const stop = (settle: () => void): void => {
        this.#isDriven = false
        this.#pumpSoon()
        settle()
      }
      const turn = (): void => {
        try {
          for (let count = 0; count < EVENTS_A_TURN; count++) {
            runPromiseReactions()
            if (isDone()) return stop(resolve)
            this.#runFirst()
          }
        } catch (error) {
          return stop(() => reject(error as Error))
        }
        setImmediate(turn)
      }
      setImmediate(turn)
    })
  }

  #pumpSoon(): void {
    const next = this.#heap[0]
    if (this.#isDriven || this.#isPumpScheduled || next === undefined || next.dueMs > this.#elapsedMs) return
    this.#isPumpScheduled = true
    setImmediate(() => {
      this.#isPumpScheduled = false
      const first = this.#heap[0]
      if (!this.#isDriven && first !== undefined && first.dueMs <= this.#elapsedMs) this.#runFirst()
      this.#pumpSoon()
    })
  }

  #runFirst(): void {
    const event = pop(this.#heap)
    if (event === undefined) return
    this.#elapsedMs = Math.max(this.#elapsedMs, event.dueMs)
    if (event.callback === null || event.owner?.isAlive === false) return
    const held = event.owner === null ? undefined : this.#held.get(event.owner)
    if (held !== undefined) return void held.push(event)
    this.onEvent?.(event.owner, this.#elapsedMs)
    event.callback()
  }
}

/**
 * Runs all promise reactions that are due, and those they lead to, before it returns; it must be called from an event of the
 * real loop, not from a reaction. A turn of the real loop for each simulated event would do the same at five times the cost.
 */
const runPromiseReactions = (process as unknown as { readonly _tickCallback: () => void })._tickCallback

/** Never less than asked for, and never nothing of something: a timer that fires by rounding too early would be set again for ever. */
function wholeTicks(ms: number): number {
  return Math.ceil(Math.max(0, ms) * TICKS_A_MS) / TICKS_A_MS
}

function isBefore(a: Event, b: Event): boolean {
  return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.sequence < b.sequence)
}

function push(heap: Event[], event: Event): void {
  let index = heap.length
  heap.push(event)
  while (index > 0) {
    const parentIndex = (index - 1) >> 1
    const parent = heap[parentIndex]
    if (parent === undefined || !isBefore(event, parent)) break
    heap[index] = parent
    index = parentIndex
  }
  heap[index] = event
}

function pop(heap: Event[]): Event | undefined {
  const first = heap[0]
  const last = heap.pop()
  if (first === undefined || last === undefined || first === last) return first
  let index = 0
  for (;;) {
    let childIndex = 2 * index + 1
    let child = heap[childIndex]
    if (child === undefined) break
    const right = heap[childIndex + 1]
    if (right !== undefined && isBefore(right, child)) {
      child = right
      childIndex++
    }
    if (!isBefore(child, last)) break
    heap[index] = child
    index = childIndex
  }
  heap[index] = last
  return first
}
