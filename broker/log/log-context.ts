/** What all logs of one data folder share: the environment and the bounded memory. */
import type { Env } from '../env/types.ts'
import { IndexCache } from './index-cache.ts'
import { PendingWrites } from './log-writer.ts'
import { TailCache } from './tail-cache.ts'
import type { LogLimits, PartitionLog } from './types.ts'

const mebibyte = 1024 * 1024

export const defaultLogLimits: LogLimits = {
  tailCacheBytesMax: 32 * mebibyte,
  pendingWriteBytesMax: 256 * mebibyte,
  indexCacheBytesMax: 16 * mebibyte,
  cleanerKeyBytesMax: 64 * mebibyte,
  unflushedBytesTarget: 64 * mebibyte,
  concurrentLoadsMax: 16,
  decompressedBatchBytesMax: 128 * mebibyte,
}

export interface LogContext {
  readonly env: Env
  readonly limits: LogLimits
  readonly tailCache: TailCache
  readonly indexCache: IndexCache
  readonly pendingWrites: PendingWrites
  readonly onOffline: (log: PartitionLog, reason: string) => void
  /** A truncation is about to happen: the checkpoint file must not vouch for what will be written anew. */
  readonly onRecoveryPointLowered: () => Promise<void>
}

export function createLogContext(
  env: Env,
  options: {
    readonly limits?: Partial<LogLimits>
    readonly onOffline?: LogContext['onOffline']
    readonly onRecoveryPointLowered?: LogContext['onRecoveryPointLowered']
  } = {},
): LogContext {
  const limits = { ...defaultLogLimits, ...options.limits }
  return {
    env,
    limits,
    tailCache: new TailCache(limits.tailCacheBytesMax),
    indexCache: new IndexCache(limits.indexCacheBytesMax),
    pendingWrites: new PendingWrites(limits.pendingWriteBytesMax),
    onOffline: options.onOffline ?? (() => undefined),
    onRecoveryPointLowered: options.onRecoveryPointLowered ?? (() => Promise.resolve()),
  }
}
