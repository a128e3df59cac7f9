import type { OffsetQuery } from '../admin-types.ts'
import type { TopicPartition } from '../basic-types.ts'
import type { Call } from '../call.ts'
import type { ClientCore } from '../core.ts'
import type { ClientError } from '../error.ts'
import type { Isolation, StartPosition } from '../reader-types.ts'
import { listOffsets } from './list-offsets.ts'

export interface Unresolved extends TopicPartition {
  readonly from: StartPosition
  readonly upTo: number | 'end' | null
}

export interface Resolved {
  readonly offset: number
  /** Of the record before it; -1 where unknown. */
  readonly leaderEpoch: number
  /** Of the topic the epoch is of; `null` where unknown. */
  readonly topicId: string | null
  /** Exclusive; `null` for no end. */
  readonly upTo: number | null
}

/** Turns positions into offsets, in their order; those that could not be asked for have their error. */
export async function resolvePositions(
  core: ClientCore,
  partitions: readonly Unresolved[],
  isolation: Isolation,
  call: Call,
): Promise<(Resolved | ClientError)[]> {
  const queries = partitions.map(queriesOf)
  const listed = await listOffsets(core, queries.flat(), isolation, call)
  let taken = 0
  return partitions.map((partition, index) => {
    const asked = queries[index] as OffsetQuery[]
    const own = listed.slice(taken, (taken += asked.length))
    const error = own.find((offset) => offset.error !== null)?.error
    if (error) return error
    const offsetOf = (spec: OffsetQuery['spec']): number | null => own[asked.findIndex((query) => query.spec === spec)]?.offset ?? null
    return resolve(partition, offsetOf)
  })
}

function queriesOf({ topic, partition, from, upTo }: Unresolved): OffsetQuery[] {
  const specs = new Set<OffsetQuery['spec']>()
  if (upTo === 'end') specs.add('latest')
  if (typeof from === 'string') specs.add(from)
  else if ('timestampMs' in from) specs.add(from).add('latest')
  else if ('tail' in from) specs.add('earliest').add('latest')
  return Array.from(specs, (spec) => ({ topic, partition, spec }))
}

function resolve(partition: Unresolved, offsetOf: (spec: OffsetQuery['spec']) => number | null): Resolved {
  const { from } = partition
  const latest = offsetOf('latest') ?? 0
  const upTo = partition.upTo === 'end' ? latest : partition.upTo
  if (typeof from !== 'string' && 'offset' in from)
    return { offset: from.offset, leaderEpoch: from.leaderEpoch ?? -1, topicId: from.topicId ?? null, upTo }
  const unknown = { leaderEpoch: -1, topicId: null }
  if (from === 'earliest') return { offset: offsetOf('earliest') ?? 0, ...unknown, upTo }
  if (from === 'latest') return { offset: latest, ...unknown, upTo }
  // No record at or after the time: what comes next will be.
  if ('timestampMs' in from) return { offset: offsetOf(from) ?? latest, ...unknown, upTo }
  return { offset: Math.max(offsetOf('earliest') ?? 0, latest - from.tail), ...unknown, upTo }
}
