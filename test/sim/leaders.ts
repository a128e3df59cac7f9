/** Who led what in which epoch, and the high watermark each leader reported: one leader per epoch, and it never falls. */
import type { Violations } from './violation.ts'

interface Leadership {
  readonly machine: string
  highWatermark: number
}

export class Leaders {
  readonly #violations: Violations
  readonly #quorum = new Map<number, string>()
  readonly #partitions = new Map<string, Leadership>()

  constructor(violations: Violations) {
    this.#violations = violations
  }

  get quorumElections(): number {
    return this.#quorum.size
  }

  get partitionElections(): number {
    return this.#partitions.size
  }

  leadsQuorum(machine: string, epoch: number): void {
    const other = this.#quorum.get(epoch)
    if (other !== undefined && other !== machine)
      this.#violations.report('one quorum leader per epoch', `${other} and ${machine} both lead the quorum in epoch ${epoch}`)
    this.#quorum.set(epoch, machine)
  }

  /** Returns whether it is news. */
  leadsPartition(machine: string, partition: string, epoch: number): boolean {
    const key = `${partition} ${epoch}`
    const other = this.#partitions.get(key)
    if (other?.machine === machine) return false
    if (other !== undefined)
      this.#violations.report('one partition leader per leader epoch', `${other.machine} and ${machine} both lead ${partition} in ${epoch}`)
    this.#partitions.set(key, { machine, highWatermark: 0 })
    return true
  }

  highWatermark(partition: string, epoch: number, offset: number): void {
    const leadership = this.#partitions.get(`${partition} ${epoch}`)
    if (leadership === undefined) return
    if (offset < leadership.highWatermark) {
      const { machine, highWatermark } = leadership
      this.#violations.report(
        'the high watermark never falls within a leader epoch',
        `${machine} ${partition} epoch ${epoch}: ${highWatermark} -> ${offset}`,
      )
    }
    leadership.highWatermark = offset
  }
}
