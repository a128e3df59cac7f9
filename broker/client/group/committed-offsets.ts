/** A member's own commits: storing and fetching what it has read so far. */
import { offsetCommit } from '../../api/08-offset-commit.schema.ts'
import { fetchOffsets } from '../admin/group-offsets.ts'
import { ErrorCode } from '../../wire/errors.ts'
import type { TopicPartition } from '../basic-types.ts'
import type { Call } from '../call.ts'
import type { ClientCore } from '../core.ts'
import { ClientError } from '../error.ts'
import type { OffsetToCommit } from '../group-types.ts'
import { cursorKey } from '../consume/partition-cursor.ts'
import { byTopic } from './consumer-protocol.ts'
import type { Membership, MemberIdentity } from './membership.ts'

/** From v10 on topics are named by id; names outlive a topic's re-creation, as the group's commits do. */
const COMMIT_VERSION_MAX = 9

/**
 * Commits as the member that read them. Rejects with the first partition's failure; retries what passes, but not once the group
 * has rebalanced: what is another's by then must not be set back.
 */
export async function commitOffsets(
  core: ClientCore,
  membership: Membership,
  group: { readonly groupId: string; readonly groupInstanceId: string | null },
  { offsets, readBy }: { readonly offsets: readonly OffsetToCommit[]; readonly readBy: MemberIdentity },
  call: Call,
): Promise<void> {
  if (offsets.length === 0) return
  const byKey = new Map(offsets.map((offset) => [cursorKey(offset), offset]))
  const topics = byTopic(offsets).map(({ topic, partitions }) => ({
    name: topic,
    partitions: partitions.map((partitionIndex) => {
      const { offset, leaderEpoch, metadata } = byKey.get(cursorKey({ topic, partition: partitionIndex })) as OffsetToCommit
      return { partitionIndex, committedOffset: offset, committedLeaderEpoch: leaderEpoch ?? -1, committedMetadata: metadata ?? '' }
    }),
  }))
  const body = { ...group, generationIdOrMemberEpoch: readBy.generationId, memberId: readBy.memberId, topics }
  await core.retrying(call, async () => {
    if (!membership.isStill(readBy)) {
      const what = `Group "${group.groupId}" has rebalanced before ${offsets.length} offsets of generation ${readBy.generationId} were committed`
      throw ClientError.ofBroker(ErrorCode.ILLEGAL_GENERATION, what, { api: offsetCommit.name })
    }
    const reply = await membership.ask(offsetCommit, body, call, { ...membership.commitBounds, maxVersion: COMMIT_VERSION_MAX })
    for (const { name, partitions } of reply.topics) {
      for (const { partitionIndex, errorCode } of partitions) {
        if (errorCode === ErrorCode.NONE) continue
        if (membership.isStill(readBy)) membership.noteError(errorCode)
        throw ClientError.ofBroker(errorCode, `The offset of ${name}-${partitionIndex} was not committed for group "${group.groupId}"`, {
          api: offsetCommit.name,
        })
      }
    }
  })
}

/** Where a member stands in a partition, as a commit names it. `leaderEpoch`: of the record before; -1 where unknown. */
export interface MemberPosition {
  readonly offset: number
  readonly leaderEpoch: number
  /** Of the topic the epoch is of; `null` where unknown. */
  readonly topicId: string | null
}

/** What was committed of these partitions, by `cursorKey`; those without a commit are absent. Retries what passes. */
export function committedOffsets(
  core: ClientCore,
  groupId: string,
  partitions: readonly TopicPartition[],
  call: Call,
): Promise<ReadonlyMap<string, MemberPosition>> {
  return core.retrying(call, async () => {
    const [fetched] = await fetchOffsets(core, [{ groupId, partitions }], false, call)
    if (fetched?.error) throw fetched.error
    const positions = new Map<string, MemberPosition>()
    for (const committed of fetched?.offsets ?? []) {
      const { error, offset, leaderEpoch } = committed
      if (error !== null) throw error
      if (offset !== null) positions.set(cursorKey(committed), { offset, leaderEpoch, topicId: null })
    }
    return positions
  })
}
