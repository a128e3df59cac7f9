/**
 * The workload's own time: it runs `speed` times as fast as the wall clock, and never goes back. Record timestamps stay wall
 * clock, so that a faster run is more records per second, not records from the future.
 */
import type { Clock } from '../../env/types.ts'

export class WorkloadClock {
  private readonly clock: Clock
  private baseWorkloadMs: number
  private baseMonotonicMs: number
  private factor: number

  constructor(clock: Clock, speed: number) {
    this.clock = clock
    this.baseWorkloadMs = clock.nowMs()
    this.baseMonotonicMs = clock.monotonicMs()
    this.factor = speed
  }

  get speed(): number {
    return this.factor
  }

  nowMs(): number {
    return this.baseWorkloadMs + (this.clock.monotonicMs() - this.baseMonotonicMs) * this.factor
  }

  setSpeed(speed: number): void {
    this.baseWorkloadMs = this.nowMs()
    this.baseMonotonicMs = this.clock.monotonicMs()
    this.factor = speed
  }
}
