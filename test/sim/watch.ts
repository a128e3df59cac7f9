/**
 * Looks into the nodes of a lifetime while they run: every step of a high watermark, a leadership, a role in the quorum, and
 * every cut of a log is told to the lifetime's observer. The methods that take such steps are wrapped once per process; they
 * do what they did, and the nodes know nothing of it.
 */
import type { PartitionState } from '../../broker/cluster/partition-state.ts'
import { DiskPartitionLog } from '../../broker/log/partition-log.ts'
import { Partition } from '../../broker/node/partition.ts'
import { QuorumDriver } from '../../broker/node/quorum-driver.ts'
import type { QuorumState } from '../../broker/quorum/types.ts'

export type MetadataLogEnds = Pick<QuorumDriver['log'], 'directory' | 'startOffset' | 'endOffset' | 'writtenOffset'>

export interface Observer {
  /** A role, an epoch or a leader changed. */
  quorumChanged(log: MetadataLogEnds, state: QuorumState): void
  metadataApplied(partition: Partition, state: PartitionState): void
  highWatermarkSet(log: DiskPartitionLog, partition: Partition | null): void
  logCut(log: DiskPartitionLog): void
}

let observer: Observer | null = null
const partitionsByLog = new WeakMap<object, Partition>()

/** Tells `next` from now on, and nobody else; null for nobody. */
export function watch(next: Observer | null): void {
  observer = next
}

wrap(QuorumDriver.prototype, 'start', function (start) {
  const told = observer
  const { log } = this
  this.subscribe({ onRoleChanged: (state) => told?.quorumChanged(log, state) })
  return start()
})

wrap(Partition.prototype, 'apply', function (apply, state) {
  partitionsByLog.set(this.log, this)
  const result = apply(state)
  observer?.metadataApplied(this, state)
  return result
})

wrap(DiskPartitionLog.prototype, 'setHighWatermark', function (setHighWatermark, offset) {
  setHighWatermark(offset)
  observer?.highWatermarkSet(this, partitionsByLog.get(this) ?? null)
})

wrap(DiskPartitionLog.prototype, 'truncateTo', function (truncateTo, offset) {
  return truncateTo(offset).finally(() => observer?.logCut(this))
})

wrap(DiskPartitionLog.prototype, 'truncateFullyAndStartAt', function (truncate, offset) {
  return truncate(offset).finally(() => observer?.logCut(this))
})

type MethodOf<Owner, Name extends keyof Owner> = Extract<Owner[Name], (...values: never[]) => unknown>

function wrap<Owner extends object, Name extends keyof Owner>(
  prototype: Owner,
  name: Name,
  around: (this: Owner, original: MethodOf<Owner, Name>, ...values: Parameters<MethodOf<Owner, Name>>) => ReturnType<MethodOf<Owner, Name>>,
): void {
  const original = prototype[name] as MethodOf<Owner, Name>
  const wrapped = function (this: Owner, ...values: Parameters<MethodOf<Owner, Name>>): unknown {
    return around.call(this, original.bind(this) as MethodOf<Owner, Name>, ...values)
  }
  Object.defineProperty(prototype, name, { value: wrapped, writable: true, configurable: true })
}
