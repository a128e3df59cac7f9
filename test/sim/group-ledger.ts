/**
 * What a consumer group read and committed. A committed offset never goes back: whoever takes a partition over starts at or
 * behind every commit acknowledged before; nothing between two commits is skipped; an offset reads the same for everyone.
 */
import type { OffsetToCommit, PartitionRecords, TopicPartition } from '../../broker/client/types.ts'
import type { Violations } from './violation.ts'

export class GroupLedger {
  readonly #violations: Violations
  readonly #values = new Map<string, string>()
  readonly #acknowledged = new Map<number, number>()
  /** For partitions just taken over: what had been committed by then. By member and partition. */
  readonly #floors = new Map<string, number>()
  #consumedCount = 0
  #assignmentCount = 0

  constructor(violations: Violations) {
    this.#violations = violations
  }

  get consumedCount(): number {
    return this.#consumedCount
  }

  get assignmentCount(): number {
    return this.#assignmentCount
  }

  assigned(member: string, partitions: readonly TopicPartition[]): void {
    this.#assignmentCount++
    for (const { partition } of partitions) this.#floors.set(`${member} ${partition}`, this.committedOffset(partition))
  }

  revoked(member: string, partitions: readonly TopicPartition[]): void {
    for (const { partition } of partitions) this.#floors.delete(`${member} ${partition}`)
  }

  consumed(member: string, { partition, records }: PartitionRecords): void {
    const floorKey = `${member} ${partition}`
    const floor = this.#floors.get(floorKey)
    const first = records[0]
    if (floor !== undefined && first !== undefined) {
      this.#floors.delete(floorKey)
      if (first.offset < floor)
        this.#violations.report(
          'committed offsets never go back',
          `${member} starts partition ${partition} at ${first.offset}; ${floor} had been committed`,
        )
    }
    for (const { offset, value } of records) {
      this.#consumedCount++
      this.#noteValue(`${partition}:${offset}`, String(value))
    }
  }

  committed(offsets: readonly OffsetToCommit[]): void {
    for (const { partition, offset } of offsets) this.#acknowledged.set(partition, Math.max(offset, this.#acknowledged.get(partition) ?? 0))
  }

  committedOffset(partition: number): number {
    return this.#acknowledged.get(partition) ?? 0
  }

  /** At the end: `offset` is what the group's coordinator now tells, `offsets` those of the partition's records, ascending. */
  finish(partition: number, offset: number | null, offsets: readonly number[]): void {
    const acknowledged = this.committedOffset(partition)
    if ((offset ?? 0) < acknowledged)
      this.#violations.report(
        'committed offsets never go back',
        `partition ${partition} stands at ${offset}; ${acknowledged} had been committed`,
      )
    const skipped = offsets.filter((at) => at < Math.max(acknowledged, offset ?? 0) && !this.#values.has(`${partition}:${at}`))
    if (skipped.length > 0)
      this.#violations.report('a group skips no record', `partition ${partition}: nobody got ${skipped.slice(0, 10).join(', ')}`)
  }

  valueAt(partition: number, offset: number): string | undefined {
    return this.#values.get(`${partition}:${offset}`)
  }

  #noteValue(key: string, value: string): void {
    const known = this.#values.get(key)
    if (known !== undefined && known !== value)
      this.#violations.report('content below a high watermark never changes', `a consumer read ${value} at ${key}, another ${known}`)
    this.#values.set(key, value)
  }
}
