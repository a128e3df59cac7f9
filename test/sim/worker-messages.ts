/** Between the runner and its processes. */
import type { LifetimeResult } from './lifetime.ts'

export interface ToWorker {
  readonly seed: string
  readonly isUnbounded: boolean
}

export interface FromWorker {
  readonly seed: string
  readonly result: LifetimeResult | null
  /** The simulator itself failed, or a node threw where nothing catches it. */
  readonly crash: string | null
}
