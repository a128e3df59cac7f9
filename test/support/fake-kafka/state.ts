/** What the cluster in memory holds: topics of real record batches, groups and their offsets. */
import { ClientError } from '../../../broker/client/error.ts'
import type { Compression } from '../../../broker/wire/compression.ts'
import { encodeBatch } from '../../../broker/wire/record-batch.ts'

export interface FakeRecord {
  readonly timestampMs: number
  readonly key: string | Uint8Array | null
  readonly value: string | Uint8Array | null
  readonly headers?: readonly { readonly key: string; readonly value: string | Uint8Array | null }[]
}

interface FakeBatch {
  readonly baseOffset: number
  readonly records: readonly FakeRecord[]
  readonly bytes: Buffer
}

export interface FakePartition {
  batches: FakeBatch[]
  logStartOffset: number
  endOffset: number
  leader: number | null
}

export interface FakeTopic {
  readonly name: string
  readonly partitions: FakePartition[]
  readonly configs: Map<string, string>
}

export interface FakeGroup {
  state: string
  readonly members: { memberId: string; clientId: string; assignment: { topic: string; partition: number }[] }[]
  readonly offsets: Map<string, number>
}

export class FakeKafkaState {
  readonly topics = new Map<string, FakeTopic>()
  readonly groups = new Map<string, FakeGroup>()
  /** Calls by name, for asserting what was asked. */
  readonly calls: string[] = []
  readonly #waiting = new Set<() => void>()
  #isDown = false

  /** Every call fails as an unreachable cluster does. */
  get isDown(): boolean {
    return this.#isDown
  }

  set isDown(isDown: boolean) {
    this.#isDown = isDown
    this.#wake()
  }

  /** Notes a call, and fails as it would. */
  call(name: string): void {
    this.calls.push(name)
    if (this.#isDown) throw unreachable()
  }

  /** Resolves when something was appended or the cluster's reachability changed; or, as a broker's fetch does, after `waitMs`. */
  news(waitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer)
        this.#waiting.delete(wake)
        resolve()
      }
      const timer = setTimeout(wake, waitMs)
      this.#waiting.add(wake)
    })
  }

  #wake(): void {
    for (const wake of this.#waiting) wake()
  }

  addTopic(name: string, partitionCount = 1): FakeTopic {
    const partitions = Array.from({ length: partitionCount }, (_, index): FakePartition => ({
      batches: [],
      logStartOffset: 0,
      endOffset: 0,
      leader: (index % 3) + 1,
    }))
    const topic: FakeTopic = { name, partitions, configs: new Map() }
    this.topics.set(name, topic)
    return topic
  }

  append(topicName: string, partition: number, records: readonly FakeRecord[], compression: Compression = 0): number {
    const log = this.partition(topicName, partition)
    const baseOffset = log.endOffset
    const bytes = encodeBatch({
      baseOffset,
      compression,
      partitionLeaderEpoch: 0,
      records: records.map((record) => ({
        timestampMs: record.timestampMs,
        key: bytesOf(record.key),
        value: bytesOf(record.value),
        headers: (record.headers ?? []).map(({ key, value }) => ({ key, value: bytesOf(value) })),
      })),
    })
    log.batches.push({ baseOffset, records, bytes })
    log.endOffset += records.length
    this.#wake()
    return baseOffset
  }

  addGroup(groupId: string, offsets: Readonly<Record<string, number>>, members: FakeGroup['members'] = []): FakeGroup {
    const group: FakeGroup = { state: members.length > 0 ? 'Stable' : 'Empty', members, offsets: new Map(Object.entries(offsets)) }
    this.groups.set(groupId, group)
    return group
  }

  partition(topicName: string, partition: number): FakePartition {
    const log = this.topics.get(topicName)?.partitions[partition]
    if (log === undefined) throw new Error(`no partition ${topicName}-${partition}`)
    return log
  }
}

function unreachable(): ClientError {
  const refused = new ClientError('CONNECTION_REFUSED', 'Nobody listens on 127.0.0.1:1.', { address: '127.0.0.1:1' })
  return new ClientError('CLUSTER_UNREACHABLE', 'No bootstrap server could be reached.', { failures: [refused] })
}

export function kafkaFailure(kafkaError: number, message: string): ClientError {
  return new ClientError('BROKER_ERROR', message, { kafkaError })
}

export const unknownTopic = (name: string): ClientError => kafkaFailure(3, `There is no topic "${name}".`)

function bytesOf(value: string | Uint8Array | null): Uint8Array | null {
  return typeof value === 'string' ? Buffer.from(value) : value
}
