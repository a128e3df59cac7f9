/** The verdict on the producers' records: nothing acknowledged is lost, nothing is twice, and each producer's order holds. */
import type { SentRecord } from './producing.ts'
import type { Violations } from './violation.ts'

export interface ReadRecord {
  readonly offset: number
  readonly value: string
}

/** `records` are all of one partition, oldest first; `sent` is everything the producers sent there. */
export function judgeProduced(
  partition: number,
  records: readonly ReadRecord[],
  sent: readonly SentRecord[],
  violations: Violations,
): void {
  const sentByValue = new Map(sent.map((record) => [record.value, record]))
  const offsetsByValue = new Map<string, number>()
  const lastSequences = new Map<string, number>()
  for (const { offset, value } of records) {
    const first = offsetsByValue.get(value)
    if (first !== undefined) {
      violations.report(
        'records of an idempotent producer are not duplicated',
        `partition ${partition}: ${value} is at ${first} and ${offset}`,
      )
      continue
    }
    offsetsByValue.set(value, offset)
    const record = sentByValue.get(value)
    if (record === undefined) {
      violations.report('content below a high watermark never changes', `partition ${partition}: nobody sent ${value}, at ${offset}`)
      continue
    }
    if (record.sequence < (lastSequences.get(record.producer) ?? -1))
      violations.report('records of a producer keep their order', `partition ${partition}: ${value} at ${offset} comes after a later one`)
    lastSequences.set(record.producer, record.sequence)
  }
  for (const { value, offset } of sent) {
    if (offset === null || offsetsByValue.get(value) === offset) continue
    const found = offsetsByValue.get(value)
    violations.report(
      'acknowledged records are not lost',
      `partition ${partition}: ${value} was acknowledged at ${offset} and is ${found === undefined ? 'gone' : `at ${found}`}`,
    )
  }
}
