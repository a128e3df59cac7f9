/** A log manager whose logs are in memory. */
import type { LogConfig } from '../../broker/log/topic-config.ts'
import { LogError, type LogManager, type PartitionLog, type TopicPartition } from '../../broker/log/types.ts'
import { MemoryLog } from './memory-log.ts'

export class MemoryLogs implements LogManager {
  readonly directory = '/memory'
  readonly directoryId = 'ZGlyZWN0b3J5LWRpcmVjdA'
  readonly wasCleanShutdown = true
  readonly previousBrokerEpoch = -1
  readonly incarnationId = 'aW5jYXJuYXRpb24taW5jYQ'
  /** What was done to which log, in order. */
  readonly events: string[] = []
  /** Logs named here cannot be opened. */
  readonly broken = new Set<string>()
  /** Holds `getOrCreate` back until it resolves. */
  openable: Promise<void> = Promise.resolve()
  readonly #logs = new Map<string, { readonly log: MemoryLog; readonly topicId: string | null }>()

  /** Puts a log there as if left by an earlier run. */
  leave(topic: string, partition: number, topicId: string): MemoryLog {
    const log = new MemoryLog({ topic, partition, writesAtOnce: true })
    this.#logs.set(`${topic}-${partition}`, { log, topicId })
    return log
  }

  async noteBrokerEpoch(): Promise<void> {}

  get(topic: string, partition: number): MemoryLog | null {
    return this.#logs.get(`${topic}-${partition}`)?.log ?? null
  }

  all(): readonly PartitionLog[] {
    return [...this.#logs.values()].map(({ log }) => log)
  }

  async getOrCreate(
    { topic, partition }: TopicPartition,
    { topicId, config }: { topicId: string | null; config: LogConfig },
  ): Promise<PartitionLog> {
    await this.openable
    const name = `${topic}-${partition}`
    if (this.broken.has(name)) throw new LogError('STORAGE', `${name}: no space left on device`)
    const existing = this.#logs.get(name)
    if (existing !== undefined) {
      if (existing.topicId !== topicId) throw new LogError('TOPIC_ID_MISMATCH', `${name} belongs to ${existing.topicId}`)
      return existing.log
    }
    this.events.push(`create ${name}`)
    const log = this.leave(topic, partition, topicId ?? '')
    log.config = config
    return log
  }

  async delete(topic: string, partition: number): Promise<void> {
    this.events.push(`delete ${topic}-${partition}`)
    this.#logs.delete(`${topic}-${partition}`)
  }

  async setAside(topic: string, partition: number): Promise<void> {
    this.events.push(`set aside ${topic}-${partition}`)
    this.#logs.delete(`${topic}-${partition}`)
  }

  updateConfig(topic: string, config: LogConfig): void {
    for (const { log } of this.#logs.values()) if (log.topicPartition.topic === topic) log.config = config
  }
  async space() {
    return { totalBytes: 4000, freeBytes: 1000 }
  }
  async runMaintenance(): Promise<void> {}
  async close(): Promise<void> {}
}
