/** Names of everything in a data folder, made and read here only. */

export const logSuffix = '.log'
export const offsetIndexSuffix = '.index'
export const timeIndexSuffix = '.timeindex'
export const transactionIndexSuffix = '.txnindex'
export const snapshotSuffix = '.snapshot'
/** Taken out of the log, removed after file.delete.delay.ms. */
export const deletedSuffix = '.deleted'
/** Being written by compaction: worthless after a crash. */
export const cleanedSuffix = '.cleaned'
/** Compaction's finished replacement: completed after a crash. */
export const swapSuffix = '.swap'

export const segmentSuffixes = [logSuffix, offsetIndexSuffix, timeIndexSuffix, transactionIndexSuffix] as const
export type SegmentSuffix = (typeof segmentSuffixes)[number]

export const partitionMetadataFile = 'partition.metadata'
export const leaderEpochFile = 'leader-epoch-checkpoint'

export const recoveryPointFile = 'recovery-point-offset-checkpoint'
export const logStartFile = 'log-start-offset-checkpoint'
export const highWatermarkFile = 'replication-offset-checkpoint'
export const cleanerOffsetFile = 'cleaner-offset-checkpoint'
export const cleanShutdownFile = '.kafka_cleanshutdown'
/** Ours, beside Kafka's: who runs here, on which boot of the machine. */
export const brokerLifeFile = '.weir_broker_life'
export const metaPropertiesFile = 'meta.properties'
export const lockFile = '.lock'

const folderNameLengthMax = 255

/** Node takes forward slashes on every platform. */
export function joinPath(directory: string, name: string): string {
  return `${directory}/${name}`
}

export function parentFolder(path: string): string {
  const slash = Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\'))
  return slash <= 0 ? '/' : path.slice(0, slash)
}

export function offsetFileName(offset: number, suffix: string): string {
  return `${String(offset).padStart(20, '0')}${suffix}`
}

/** The offset a segment or snapshot file is named after, with what follows the 20 digits; null for other files. */
export function parseOffsetFileName(name: string): { readonly offset: number; readonly suffix: string } | null {
  const match = /^(\d{20})(\..+)$/.exec(name)
  if (match === null) return null
  const offset = Number(match[1])
  return Number.isSafeInteger(offset) ? { offset, suffix: match[2] ?? '' } : null
}

export function partitionFolderName(topic: string, partition: number): string {
  return `${topic}-${partition}`
}

export type FolderKind = 'live' | 'deleted' | 'stray' | 'future'

/** What a folder of the data directory is; null when it is none of ours. */
export function parseFolderName(name: string): { kind: FolderKind; topic: string; partition: number } | null {
  const marked = /^(.+)-(\d{1,10})\.[0-9a-f]{32}-(delete|stray|future)$/.exec(name)
  const plain = marked ?? /^(.+)-(\d{1,10})$/.exec(name)
  if (plain === null) return /\.[0-9a-f]{32}-delete$/.test(name) ? { kind: 'deleted', topic: '', partition: -1 } : null
  const kind = marked === null ? 'live' : marked[3] === 'delete' ? 'deleted' : marked[3] === 'stray' ? 'stray' : 'future'
  return { kind, topic: plain[1] ?? '', partition: Number(plain[2]) }
}

/** `<topic>-<partition>.<32 hex>-delete`, cut at the front so that it stays a legal file name. */
export function markedFolderName(topic: string, partition: number, kind: 'delete' | 'stray', uniqueHex: string): string {
  const suffix = `-${partition}.${uniqueHex}-${kind}`
  return topic.slice(0, folderNameLengthMax - suffix.length) + suffix
}
