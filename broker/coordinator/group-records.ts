import { groupMetadataKey, groupMetadataValue, offsetCommitKey, offsetCommitValue } from '../api/coordinator-records.schema.ts'
import { decodePrefixed, encodePrefixed } from '../wire/codec.ts'
import type { CommittedOffset, Group, Member, Now } from './group-types.ts'
import { createGroup } from './group-types.ts'
import { memberMetadata } from './membership.ts'
import { removeOffset, setOffset } from './offsets.ts'

/**
 * Groups and offsets as records of `__consumer_offsets`, in Kafka's own format, so that lag exporters and Kafka's tools
 * read them. A null value removes what the key names. Values are written as version 3, which every reader knows.
 */
export interface CoordinatorRecord {
  readonly key: Buffer
  readonly value: Buffer | null
}

const OFFSET_KEY_VERSION = 1
const GROUP_KEY_VERSION = 2
const VALUE_VERSION = 3

export function offsetRecord(groupId: string, topic: string, partition: number, committed: CommittedOffset | null): CoordinatorRecord {
  return {
    key: encodePrefixed(offsetCommitKey, OFFSET_KEY_VERSION, { group: groupId, topic, partition }),
    value:
      committed &&
      encodePrefixed(offsetCommitValue, VALUE_VERSION, {
        offset: committed.offset,
        leaderEpoch: committed.leaderEpoch,
        metadata: committed.metadata,
        commitTimestamp: committed.commitTimestampMs,
      }),
  }
}

/** The group as it is now; `assignments`, where given, stand in for those its members hold. */
export function groupRecord(group: Group, assignments: ReadonlyMap<string, Buffer> | null): CoordinatorRecord {
  return {
    key: groupKey(group.groupId),
    value: encodePrefixed(groupMetadataValue, VALUE_VERSION, {
      protocolType: group.protocolType ?? '',
      generation: group.generationId,
      protocol: group.protocolName,
      leader: group.leaderId,
      currentStateTimestamp: group.stateTimestampMs,
      members: [...group.members.values()].map((member) => ({
        memberId: member.memberId,
        groupInstanceId: member.instanceId,
        clientId: member.clientId,
        clientHost: member.clientHost,
        rebalanceTimeout: member.rebalanceTimeoutMs,
        sessionTimeout: member.sessionTimeoutMs,
        subscription: memberMetadata(member, group.protocolName ?? ''),
        assignment: assignments?.get(member.memberId) ?? member.assignment,
      })),
    }),
  }
}

export function groupTombstone(groupId: string): CoordinatorRecord {
  return { key: groupKey(groupId), value: null }
}

function groupKey(groupId: string): Buffer {
  return encodePrefixed(groupMetadataKey, GROUP_KEY_VERSION, { group: groupId })
}

/**
 * Applies one record to the groups of its partition, in log order. Records of kinds not known here (newer group
 * protocols) are passed over. Throws a `WireError` when a known kind cannot be read.
 */
export function replay(groups: Map<string, Group>, key: Buffer, value: Buffer | null, now: Now): void {
  const kind = key.length >= 2 ? key.readInt16BE(0) : -1
  if (kind === 0 || kind === OFFSET_KEY_VERSION) replayOffset(groups, key, value, now)
  else if (kind === GROUP_KEY_VERSION) replayGroup(groups, key, value, now)
}

function replayOffset(groups: Map<string, Group>, key: Buffer, value: Buffer | null, now: Now): void {
  const { group: groupId, topic, partition } = decodePrefixed(offsetCommitKey, key).value
  if (value === null) {
    const group = groups.get(groupId)
    if (group) removeOffset(group, topic, partition)
    return
  }
  const stored = decodePrefixed(offsetCommitValue, value).value
  setOffset(obtain(groups, groupId, now), topic, partition, {
    offset: stored.offset,
    leaderEpoch: stored.leaderEpoch,
    metadata: stored.metadata,
    commitTimestampMs: stored.commitTimestamp,
  })
}

function replayGroup(groups: Map<string, Group>, key: Buffer, value: Buffer | null, now: Now): void {
  const { group: groupId } = decodePrefixed(groupMetadataKey, key).value
  if (value === null) {
    groups.delete(groupId)
    return
  }
  const stored = decodePrefixed(groupMetadataValue, value).value
  const group = obtain(groups, groupId, now)
  group.members.clear()
  group.staticMembers.clear()
  group.generationId = stored.generation
  group.protocolType = stored.protocolType === '' ? null : stored.protocolType
  group.protocolName = stored.protocol
  group.leaderId = stored.leader
  group.state = stored.members.length === 0 ? 'Empty' : 'Stable'
  group.stateTimestampMs = stored.currentStateTimestamp < 0 ? now.wallMs : stored.currentStateTimestamp
  for (const each of stored.members) {
    const member: Member = {
      memberId: each.memberId,
      instanceId: each.groupInstanceId,
      clientId: each.clientId,
      clientHost: each.clientHost,
      sessionTimeoutMs: each.sessionTimeout,
      rebalanceTimeoutMs: each.rebalanceTimeout < 0 ? each.sessionTimeout : each.rebalanceTimeout,
      // Decoded bytes are views of the batch they came in, which would keep all of it in memory.
      protocols: [{ name: stored.protocol ?? '', metadata: Buffer.from(each.subscription) }],
      assignment: Buffer.from(each.assignment),
      sessionDeadlineMs: now.monotonicMs + each.sessionTimeout,
      awaitingJoin: null,
      awaitingSync: null,
      isNew: false,
    }
    group.members.set(member.memberId, member)
    if (member.instanceId !== null) group.staticMembers.set(member.instanceId, member.memberId)
  }
}

function obtain(groups: Map<string, Group>, groupId: string, now: Now): Group {
  let group = groups.get(groupId)
  if (group === undefined) groups.set(groupId, (group = createGroup(groupId, now)))
  return group
}
