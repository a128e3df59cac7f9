/**
 * What happens to logs in the background, each kind of work at its own pace, never two rounds of one kind at once:
 *
 * - sync: keeps what a start after a crash must read below a target, the logs with most to lose first, and honours
 *   flush.ms;
 * - checkpoints: high watermarks, recovery points and log starts, every 5 s as in Kafka;
 * - retention and producer expiry, first some time after the start, then at the pace the broker's settings say;
 * - compaction.
 */
import type { Env, Timer } from '../env/types.ts'
import type { DiskPartitionLog } from './partition-log.ts'
import type { RetentionSchedule } from './types.ts'

const syncIntervalMs = 1000
const checkpointIntervalMs = 5000
const compactionIntervalMs = 15_000
/** Unsynced data is synced at this age whatever its amount (log.flush.offset.checkpoint.interval.ms). */
const unflushedAgeMaxMs = 60_000
/** producer.id.expiration.ms */
const producerExpirationMs = 24 * 60 * 60 * 1000

export interface MaintenanceTarget {
  logs(): readonly DiskPartitionLog[]
  writeCheckpoints(): Promise<void>
  compact(): Promise<void>
  readonly unflushedBytesTarget: number
  readonly retentionSchedule: RetentionSchedule
}

export class Maintenance {
  readonly #env: Env
  readonly #target: MaintenanceTarget
  readonly #timers = new Set<Timer>()
  readonly #running = new Set<Promise<void>>()
  #isStopped = false

  constructor(env: Env, target: MaintenanceTarget) {
    this.#env = env
    this.#target = target
  }

  start(): void {
    this.#every(syncIntervalMs, 'sync', () => this.sync())
    this.#every(checkpointIntervalMs, 'checkpoints', () => this.#target.writeCheckpoints())
    const { initialDelayMs, intervalMs } = this.#target.retentionSchedule
    this.#every(intervalMs, 'retention', () => this.retain(), initialDelayMs)
    this.#every(compactionIntervalMs, 'compaction', () => this.#target.compact())
  }

  /** No further round begins; resolves when those under way have ended. */
  async stop(): Promise<void> {
    this.#isStopped = true
    for (const timer of this.#timers) timer.cancel()
    await Promise.all(this.#running)
  }

  async sync(): Promise<void> {
    const nowMs = this.#env.clock.monotonicMs()
    const dirty = this.#target
      .logs()
      .filter((log) => log.core.unflushedSinceMs !== null && log.offline === null)
      .map((log) => ({ log, bytes: log.core.unflushedBytes, ageMs: nowMs - (log.core.unflushedSinceMs ?? nowMs) }))
      .sort((a, b) => b.bytes - a.bytes)
    let totalBytes = dirty.reduce((sum, { bytes }) => sum + bytes, 0)
    let hasSynced = false
    for (const { log, bytes, ageMs } of dirty) {
      if (this.#isStopped) return
      const isDue = totalBytes > this.#target.unflushedBytesTarget || ageMs >= unflushedAgeMaxMs
      if (isDue) {
        // One at a time: syncs compete with appends for the disk.
        await log.checkpoint()
        totalBytes -= bytes
        hasSynced = true
      } else if (ageMs >= log.config.flushMs) {
        await log.flush()
      }
    }
    if (hasSynced) await this.#target.writeCheckpoints()
  }

  async retain(): Promise<void> {
    const expiredBeforeMs = this.#env.clock.nowMs() - producerExpirationMs
    for (const log of this.#target.logs()) {
      if (this.#isStopped) return
      log.core.producers.expire(expiredBeforeMs)
      if (log.offline === null) await log.applyRetention()
    }
  }

  #every(intervalMs: number, name: string, work: () => Promise<void>, delayMs = intervalMs): void {
    const timer = this.#env.timers.after(delayMs, () => {
      this.#timers.delete(timer)
      if (this.#isStopped) return
      const round = this.#carryOut(name, work).finally(() => {
        this.#running.delete(round)
        if (!this.#isStopped) this.#every(intervalMs, name, work)
      })
      this.#running.add(round)
    })
    this.#timers.add(timer)
  }

  async #carryOut(name: string, work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      this.#env.log.write('error', 'maintenance of the logs failed; it is tried again', { name, error })
    }
  }
}
