/** Committed offsets: fetched, altered and deleted at the group's coordinator. */
import { offsetCommit } from '../../api/08-offset-commit.schema.ts'
import { offsetFetch } from '../../api/09-offset-fetch.schema.ts'
import { offsetDelete } from '../../api/47-offset-delete.schema.ts'
import { ErrorCode } from '../../wire/errors.ts'
import type { Admin, CommittedOffset, GroupOffsets, PartitionResult } from '../admin-types.ts'
import type { TopicPartition } from '../basic-types.ts'
import type { Call } from '../call.ts'
import type { ClientCore } from '../core.ts'
import { ClientError } from '../error.ts'
import { byTopic } from '../group/consumer-protocol.ts'
import { BROKER_ATTEMPT_MS, askCoordinators, elsewhereErrors, slices } from './fan-out.ts'
import { neverAsked } from './groups.ts'

/** The last versions that name topics; later ones carry ids, which a group may hold longer than the topic lives. */
const OFFSET_FETCH_VERSION_MAX = 9
const OFFSET_COMMIT_VERSION_MAX = 9
/** Several groups in one request (KIP-709). */
const SEVERAL_GROUPS_SINCE = 8
const REQUIRE_STABLE_SINCE = 7
const ALL_PARTITIONS_SINCE = 2
const GROUPS_PER_REQUEST = 100

type OffsetsQuery = Parameters<Admin['fetchOffsets']>[0][number]

interface PartitionReply {
  readonly partitionIndex: number
  readonly committedOffset: number
  readonly committedLeaderEpoch: number
  readonly metadata: string | null
  readonly errorCode: number
}

export async function fetchOffsets(
  core: ClientCore,
  groups: readonly OffsetsQuery[],
  requireStable: boolean,
  call: Call,
): Promise<readonly GroupOffsets[]> {
  const queries = new Map(groups.map((query) => [query.groupId, query]))
  const results = await askCoordinators<GroupOffsets>(core, [...queries.keys()], call, async (nodeId, ids) => {
    const own = ids.map((id) => queries.get(id) as OffsetsQuery)
    const connection = await core.connectionTo(nodeId, call)
    const takesSeveral = connection.versions.pick(offsetFetch, { maxVersion: OFFSET_FETCH_VERSION_MAX }) >= SEVERAL_GROUPS_SINCE
    const answers = new Map<string, GroupOffsets | ClientError>()
    const requests = Array.from(slices(own, takesSeveral ? GROUPS_PER_REQUEST : 1), (slice) =>
      fetchFrom(core, nodeId, slice, requireStable, call),
    )
    for (const answered of await Promise.all(requests)) for (const [id, answer] of answered) answers.set(id, answer)
    return answers
  })
  return groups.map(({ groupId }) => {
    const result = results.get(groupId) ?? neverAsked(groupId)
    return result instanceof ClientError ? { groupId, offsets: [], error: result } : result
  })
}

async function fetchFrom(
  core: ClientCore,
  nodeId: number,
  queries: readonly OffsetsQuery[],
  requireStable: boolean,
  call: Call,
): Promise<Map<string, GroupOffsets | ClientError>> {
  const first = queries[0] as OffsetsQuery
  const asksAll = queries.some(({ partitions }) => partitions === undefined)
  const reply = await core.requestNode(
    nodeId,
    offsetFetch,
    {
      groupId: first.groupId,
      topics: topicsOf(first),
      groups: queries.map((query) => ({ groupId: query.groupId, topics: topicsOf(query) })),
      requireStable,
    },
    call,
    {
      maxVersion: OFFSET_FETCH_VERSION_MAX,
      minVersion: requireStable ? REQUIRE_STABLE_SINCE : asksAll ? ALL_PARTITIONS_SINCE : 1,
      isRepeatable: true,
      attemptMs: BROKER_ATTEMPT_MS,
    },
  )
  const single = { groupId: first.groupId, errorCode: reply.errorCode, topics: reply.topics }
  return new Map(
    (reply.groups.length > 0 ? reply.groups : [single]).map(({ groupId, errorCode, topics }) => [
      groupId,
      errorCode === ErrorCode.NONE
        ? {
            groupId,
            error: null,
            offsets: topics.flatMap(({ name, partitions }) => partitions.map((partition) => committed(groupId, name, partition))),
          }
        : ClientError.ofBroker(errorCode, `Offsets of group "${groupId}" cannot be fetched`, { api: offsetFetch.name, nodeId }),
    ]),
  )
}

function topicsOf({ partitions }: OffsetsQuery): { name: string; partitionIndexes: number[] }[] | null {
  if (partitions === undefined) return null
  return byTopic(partitions).map(({ topic, partitions: partitionIndexes }) => ({ name: topic, partitionIndexes }))
}

function committed(groupId: string, topic: string, reply: PartitionReply): CommittedOffset {
  const { partitionIndex: partition, committedOffset, committedLeaderEpoch, metadata, errorCode } = reply
  return {
    topic,
    partition,
    offset: committedOffset < 0 ? null : committedOffset,
    leaderEpoch: committedLeaderEpoch,
    metadata,
    error:
      errorCode === ErrorCode.NONE
        ? null
        : ClientError.ofBroker(errorCode, `The offset of group "${groupId}" in ${topic}-${partition} cannot be fetched`, {
            api: offsetFetch.name,
          }),
  }
}

/** Commits from outside the group: brokers take it only while the group has no members. */
export async function alterOffsets(
  core: ClientCore,
  groupId: string,
  offsets: Parameters<Admin['alterOffsets']>[1],
  call: Call,
): Promise<readonly PartitionResult[]> {
  const byKey = new Map(offsets.map((offset) => [`${offset.topic} ${offset.partition}`, offset]))
  const topics = byTopic(offsets).map(({ topic, partitions }) => ({
    name: topic,
    partitions: partitions.map((partitionIndex) => {
      const { offset, metadata } = byKey.get(`${topic} ${partitionIndex}`) as (typeof offsets)[number]
      return { partitionIndex, committedOffset: offset, committedMetadata: metadata ?? '' }
    }),
  }))
  return changeOffsets(core, groupId, offsets, call, `Offsets of group "${groupId}"`, async (nodeId) => {
    const reply = await core.requestNode(nodeId, offsetCommit, { groupId, memberId: '', topics }, call, {
      maxVersion: OFFSET_COMMIT_VERSION_MAX,
    })
    return { errorCode: ErrorCode.NONE, topics: reply.topics }
  })
}

export async function deleteOffsets(
  core: ClientCore,
  groupId: string,
  partitions: readonly TopicPartition[],
  call: Call,
): Promise<readonly PartitionResult[]> {
  const topics = byTopic(partitions).map(({ topic, partitions: indexes }) => ({
    name: topic,
    partitions: indexes.map((partitionIndex) => ({ partitionIndex })),
  }))
  return changeOffsets(core, groupId, partitions, call, `Offsets of group "${groupId}"`, (nodeId) =>
    core.requestNode(nodeId, offsetDelete, { groupId, topics }, call),
  )
}

interface ChangeReply {
  readonly errorCode: number
  readonly topics: readonly {
    readonly name: string
    readonly partitions: readonly { readonly partitionIndex: number; readonly errorCode: number }[]
  }[]
}

async function changeOffsets(
  core: ClientCore,
  groupId: string,
  partitions: readonly TopicPartition[],
  call: Call,
  what: string,
  ask: (nodeId: number) => Promise<ChangeReply>,
): Promise<readonly PartitionResult[]> {
  const results = await askCoordinators<ReadonlyMap<string, number>>(core, [groupId], call, async (nodeId) => {
    const reply = await ask(nodeId)
    const codes = new Map(
      reply.topics.flatMap(({ name, partitions: own }) =>
        own.map(({ partitionIndex, errorCode }) => [`${name} ${partitionIndex}`, errorCode]),
      ),
    )
    // A coordinator that is not one says so for every partition.
    const whole = reply.errorCode !== ErrorCode.NONE ? reply.errorCode : [...codes.values()].find((code) => elsewhereErrors.has(code))
    return new Map([[groupId, whole === undefined ? codes : ClientError.ofBroker(whole, `${what} were not changed`, { nodeId })]])
  })
  const result = results.get(groupId) ?? neverAsked(groupId)
  return partitions.map(({ topic, partition }) => {
    if (result instanceof ClientError) return { topic, partition, error: result }
    const code = result.get(`${topic} ${partition}`)
    if (code === ErrorCode.NONE) return { topic, partition, error: null }
    if (code === undefined) return { topic, partition, error: new ClientError('MALFORMED_REPLY', `The reply lacks ${topic}-${partition}.`) }
    return {
      topic,
      partition,
      error: ClientError.ofBroker(code, `${what} in ${topic}-${partition} were not changed`, { text: hints.get(code) ?? null }),
    }
  })
}

const hints: ReadonlyMap<number, string> = new Map([
  [ErrorCode.UNKNOWN_MEMBER_ID, 'The group has active members; stop them first.'],
  [ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC, 'A member of the group subscribes to the topic; stop it first.'],
])
