/**
 * What each log held below any high watermark that any replica ever reported. It must never read differently again, on any
 * replica, and whoever leads must have all of it.
 */
import type { SimulatedDisk } from '../../broker/env/simulated.ts'
import { readBatches, startPosition, type DiskPosition, type StoredBatch } from './disk-batches.ts'
import type { InvariantName, Violations } from './violation.ts'

/** One replica's log, and whose it is. */
export interface WatchedLog {
  readonly machine: string
  readonly disk: SimulatedDisk
  readonly directory: string
}

/** `writtenOffset`: the disk has everything below it, from `startOffset` on. */
export interface LogEnds {
  readonly startOffset: number
  readonly endOffset: number
  readonly writtenOffset: number
}

interface CommittedBatch {
  readonly baseOffset: number
  readonly lastOffset: number
  readonly leaderEpoch: number
  readonly crc: number
}

interface Agreed {
  readonly batches: CommittedBatch[]
  endOffset: number
}

export class CommittedContent {
  readonly #violations: Violations
  readonly #agreed = new Map<string, Agreed>()
  /** How far each replica has been compared, by machine and directory. */
  readonly #positions = new Map<string, DiskPosition>()
  /** Offsets compared, for the report. */
  comparedBatchCount = 0

  constructor(violations: Violations) {
    this.#violations = violations
  }

  logs(): Iterable<string> {
    return this.#agreed.keys()
  }

  endOffset(directory: string): number {
    return this.#agreed.get(logName(directory))?.endOffset ?? 0
  }

  /** The replica's disk changed other than by appending: it is compared from its start again. */
  logCut({ machine, directory }: Pick<WatchedLog, 'machine' | 'directory'>): void {
    this.#positions.delete(`${machine} ${directory}`)
  }

  /** The replica reported `highWatermark`. */
  reported(log: WatchedLog, highWatermark: number): void {
    this.#compare(log, this.#positionOf(log), highWatermark, true)
  }

  /** The replica leads: its log must hold everything below `committedOffset`, the end of what was agreed when it was elected. */
  leads(log: WatchedLog, committedOffset: number, { startOffset, endOffset, writtenOffset }: LogEnds): void {
    const comparedOffset = Math.max(startOffset, this.#compareUpTo(log, committedOffset))
    if (endOffset < committedOffset || comparedOffset < Math.min(writtenOffset, committedOffset))
      this.#report(log, `leads with a log that ends at ${endOffset}, ${comparedOffset} on disk, where ${committedOffset} was committed`)
  }

  /** Whether the replica's disk holds everything agreed by now. */
  isComplete(log: WatchedLog): boolean {
    const agreed = this.#of(log.directory)
    const at = startPosition()
    readBatches(log.disk, log.directory, at, (batch) => batch.lastOffset < agreed.endOffset && isSame(agreed, batch))
    return at.nextOffset >= agreed.endOffset
  }

  #compareUpTo(log: WatchedLog, endOffset: number): number {
    const at = startPosition()
    this.#compare(log, at, endOffset, false)
    return at.nextOffset
  }

  #compare(log: WatchedLog, at: DiskPosition, endOffset: number, mayExtend: boolean): void {
    const agreed = this.#of(log.directory)
    if (at.nextOffset >= endOffset) return
    readBatches(log.disk, log.directory, at, (batch) => {
      if (batch.lastOffset >= endOffset) return false
      this.comparedBatchCount++
      if (batch.header.baseOffset < agreed.endOffset) return this.#isAsAgreed(log, agreed, batch)
      if (!mayExtend) return false
      if (batch.header.baseOffset > agreed.endOffset && !isMetadata(log.directory))
        this.#report(log, `continues at ${batch.header.baseOffset} where ${agreed.endOffset} comes next`)
      agreed.batches.push(fingerprint(batch))
      agreed.endOffset = batch.lastOffset + 1
      return true
    })
  }

  #isAsAgreed(log: WatchedLog, agreed: Agreed, batch: StoredBatch): boolean {
    if (isSame(agreed, batch)) return true
    const known = batchAt(agreed, batch)
    const committed = known === undefined ? 'nothing' : describe(known)
    this.#report(log, `holds ${describe(fingerprint(batch))} where ${committed} was committed`)
    return false
  }

  #report({ machine, directory }: WatchedLog, detail: string): void {
    const invariant: InvariantName = isMetadata(directory)
      ? 'committed metadata is never lost'
      : 'content below a high watermark never changes'
    this.#violations.report(invariant, `${machine} ${logName(directory)} ${detail}`)
  }

  #positionOf({ machine, directory }: WatchedLog): DiskPosition {
    const key = `${machine} ${directory}`
    let at = this.#positions.get(key)
    if (at === undefined) {
      at = startPosition()
      this.#positions.set(key, at)
    }
    return at
  }

  #of(directory: string): Agreed {
    const name = logName(directory)
    let agreed = this.#agreed.get(name)
    if (agreed === undefined) {
      agreed = { batches: [], endOffset: 0 }
      this.#agreed.set(name, agreed)
    }
    return agreed
  }
}

/** `topic-partition`, the folder's own name. */
export function logName(directory: string): string {
  return directory.slice(directory.lastIndexOf('/') + 1)
}

/** By a log's folder or name. */
export function isMetadata(directory: string): boolean {
  return directory.includes('__cluster_metadata-')
}

function fingerprint({ header, lastOffset }: StoredBatch): CommittedBatch {
  return { baseOffset: header.baseOffset, lastOffset, leaderEpoch: header.partitionLeaderEpoch, crc: header.crc }
}

function batchAt({ batches }: Agreed, { header }: StoredBatch): CommittedBatch | undefined {
  return batches[indexOf(batches, header.baseOffset)]
}

function isSame(agreed: Agreed, batch: StoredBatch): boolean {
  const known = batchAt(agreed, batch)
  const found = fingerprint(batch)
  return (
    known !== undefined &&
    known.baseOffset === found.baseOffset &&
    known.lastOffset === found.lastOffset &&
    known.leaderEpoch === found.leaderEpoch &&
    known.crc === found.crc
  )
}

function describe({ baseOffset, lastOffset, leaderEpoch, crc }: CommittedBatch): string {
  return `${baseOffset}..${lastOffset} of epoch ${leaderEpoch} (crc ${crc.toString(16)})`
}

/** Of the batch that holds `offset`, or -1. */
function indexOf(batches: readonly CommittedBatch[], offset: number): number {
  let low = 0
  let high = batches.length - 1
  while (low <= high) {
    const middle = (low + high) >> 1
    const batch = batches[middle]!
    if (offset < batch.baseOffset) high = middle - 1
    else if (offset > batch.lastOffset) low = middle + 1
    else return middle
  }
  return -1
}
