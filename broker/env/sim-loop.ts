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
  readonly dueMs: number
  readonly sequence: number
  readonly owner: SimulatedProcess | null
  callback: (() => void) | null
}

/** `run` gives up after this much virtual time: what it waits for can only be stuck. */
const runLimitMs = 24 * 60 * 60 * 1000

export class SimulatedLoop implements Clock {
  readonly #startMs: number
  readonly #heap: Event[] = []
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
      dueMs: this.#elapsedMs + Math.max(0, delayMs),
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

  /** Runs everything due within the next `ms`, and stands there. */
  async advance(ms: number): Promise<void> {
    const targetMs = this.#elapsedMs + ms
    await this.#drive(async () => {
      while (await this.#step(targetMs)) {
        // Each step is one event and all its promise reactions.
      }
      this.#elapsedMs = targetMs
    })
  }

  /** Moves time until `operation` settles. Rejects when nothing is left that could settle it. */
  async run<T>(operation: Promise<T>): Promise<T> {
    let isSettled = false
    const settled = (): void => {
      isSettled = true
    }
    operation.then(settled, settled)
    const limitMs = this.#elapsedMs + runLimitMs
    await this.#drive(async () => {
      await promiseReactions()
      while (!isSettled) {
        if (!(await this.#step(limitMs))) throw new Error('nothing left to happen, and the operation has not settled')
      }
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

  async #drive(work: () => Promise<void>): Promise<void> {
    if (this.#isDriven) throw new Error('time is already being moved: await the previous advance or run first')
    this.#isDriven = true
    try {
      await work()
    } finally {
      this.#isDriven = false
      this.#pumpSoon()
    }
  }

  async #step(untilMs: number): Promise<boolean> {
    await promiseReactions()
    const next = this.#heap[0]
    if (next === undefined || next.dueMs > untilMs) return false
    this.#runFirst()
    await promiseReactions()
    return true
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
    if (event.owner === null || event.owner.isAlive) event.callback?.()
  }
}

function promiseReactions(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
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
