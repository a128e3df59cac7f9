import { ErrorCode } from '../wire/errors.ts'
import { coordinatorPartition } from './coordinator-partition.ts'
import type {
  CommitReply,
  CommitRequest,
  DeleteOffsetsReply,
  FetchOffsetsReply,
  FetchOffsetsRequest,
  GroupCoordinatorPort,
  GroupDescription,
  GroupListing,
  LeavingMember,
  MemberClaim,
  SyncRequest,
  TopicPartitions,
} from './coordinator-port.ts'
import type { CoordinatorRecord } from './group-records.ts'
import { replay } from './group-records.ts'
import type { Group, GroupConfig, HeartbeatReply, JoinReply, JoinRequest, LeaveReply, Now, RefusedReply, SyncReply } from './group-types.ts'
import { joinFailure, memberMetadata, syncFailure } from './membership.ts'
import { commitOffsets, commitReply, deleteOffsets, fetchOffsets } from './offset-requests.ts'
import { Shard } from './shard.ts'

/**
 * The coordinator of all groups whose partition of `__consumer_offsets` this broker leads.
 *
 * A partition is absent -> loading (its log is read) -> active, and absent again when leadership goes. Only an active one
 * answers; a load is abandoned when a newer leader epoch, or the loss of leadership, overtakes it.
 */
export interface CoordinatorPorts {
  now(): Now
  after(delayMs: number, callback: () => void): { cancel(): void }
  uuid(): string
  /** Partitions of `__consumer_offsets`, as the metadata says; the configured number before the topic exists. */
  partitionCount(): number
  /** Appends with acks=all and resolves once committed, or with why not. Call order is log order. Never rejects. */
  append(partition: number, records: readonly CoordinatorRecord[]): Promise<ErrorCode>
  /** All records from the log's start to its end, oldest first; throws when the log cannot be read. */
  read(partition: number): AsyncIterable<{ readonly key: Buffer; readonly value: Buffer | null }>
  onTransition?(group: Group): void
  onUnwritable?(group: Group, problem: unknown): void
  onLoaded?(partition: number, groupCount: number, problem: unknown): void
}

interface Loading {
  readonly leaderEpoch: number
  readonly shard: null
}
interface Active {
  readonly leaderEpoch: number
  readonly shard: Shard
}

/** offsets.retention.check.interval.ms */
const EXPIRY_INTERVAL_MS = 600_000
const MEMBER_ID_PREFIX_CHARACTERS_MAX = 255
/** What a string in a record of `__consumer_offsets` can hold; requests of flexible versions can bring more. */
const ID_BYTES_MAX = 32_767

export class GroupCoordinator implements GroupCoordinatorPort {
  readonly #partitions = new Map<number, Loading | Active>()
  readonly #ports: CoordinatorPorts
  readonly #config: GroupConfig
  #expiry: { cancel(): void } | null = null

  constructor(ports: CoordinatorPorts, config: GroupConfig) {
    this.#ports = ports
    this.#config = config
    this.#scheduleExpiry()
  }

  // ------------------------------------------------------------------------------------------------------- leadership

  /** This broker leads `partition` from now on. Resolves when its groups can be served, or somebody else leads. */
  async elected(partition: number, leaderEpoch: number): Promise<void> {
    const current = this.#partitions.get(partition)
    if (current !== undefined && current.leaderEpoch >= leaderEpoch) return
    this.#partitions.get(partition)?.shard?.close()
    const loading: Loading = { leaderEpoch, shard: null }
    this.#partitions.set(partition, loading)
    const groups = new Map<string, Group>()
    try {
      for await (const { key, value } of this.#ports.read(partition)) {
        if (this.#partitions.get(partition) !== loading) return
        replay(groups, key, value, this.#ports.now())
      }
    } catch (problem) {
      // Stays loading: members wait and retry, and an operator finds the reason in the log; serving half would lose offsets.
      this.#ports.onLoaded?.(partition, groups.size, problem)
      return
    }
    if (this.#partitions.get(partition) !== loading) return
    const ports = this.#ports
    const shard = new Shard(
      {
        now: () => ports.now(),
        after: (delayMs, callback) => ports.after(delayMs, callback),
        append: (records) => ports.append(partition, records),
        onTransition: (group) => ports.onTransition?.(group),
        onUnwritable: (group, problem) => ports.onUnwritable?.(group, problem),
      },
      this.#config,
    )
    shard.adopt(groups)
    this.#partitions.set(partition, { leaderEpoch, shard })
    ports.onLoaded?.(partition, groups.size, null)
  }

  /** Somebody else leads `partition`, or nobody. */
  resigned(partition: number): void {
    const current = this.#partitions.get(partition)
    this.#partitions.delete(partition)
    current?.shard?.close()
  }

  topicsDeleted(topics: ReadonlySet<string>): Promise<void> {
    return this.#eachShard((shard) => shard.topicsDeleted(topics))
  }

  expireNow(): Promise<void> {
    return this.#eachShard((shard) => shard.expire())
  }

  close(): void {
    this.#expiry?.cancel()
    for (const partition of [...this.#partitions.keys()]) this.resigned(partition)
  }

  // ------------------------------------------------------------------------------------------------------- membership

  async join(groupId: string, request: JoinRequest): Promise<JoinReply> {
    const shard = this.#locate(groupId)
    if (!(shard instanceof Shard)) return joinFailure(shard, request.memberId)
    if (request.memberId !== '' && shard.get(groupId) === undefined) return joinFailure(ErrorCode.UNKNOWN_MEMBER_ID, request.memberId)
    // Brokers take any name of a static member; it is clients that restrict themselves to those of topics.
    if (Buffer.byteLength(request.instanceId ?? '') > ID_BYTES_MAX) return joinFailure(ErrorCode.INVALID_REQUEST, request.memberId)
    const newMemberId = `${memberIdPrefix(request)}-${this.#ports.uuid()}`
    const reply = await shard.request<JoinReply>(groupId, (token) => ({ type: 'join', token, newMemberId, ...request }))
    return reply.kind === 'refused' ? joinFailure(reply.errorCode, request.memberId) : reply
  }

  async sync(groupId: string, request: SyncRequest): Promise<SyncReply> {
    const shard = this.#locate(groupId)
    if (!(shard instanceof Shard)) return syncFailure(shard)
    if (shard.get(groupId) === undefined) return syncFailure(ErrorCode.UNKNOWN_MEMBER_ID)
    const reply = await shard.request<SyncReply>(groupId, (token) => ({ type: 'sync', token, ...request }))
    return reply.kind === 'refused' ? syncFailure(reply.errorCode) : reply
  }

  heartbeat(groupId: string, request: MemberClaim): HeartbeatReply {
    const shard = this.#locate(groupId)
    if (!(shard instanceof Shard)) return { kind: 'heartbeat', errorCode: shard }
    if (shard.get(groupId) === undefined) return { kind: 'heartbeat', errorCode: ErrorCode.UNKNOWN_MEMBER_ID }
    const reply = shard.requestNow<HeartbeatReply>(groupId, (token) => ({ type: 'heartbeat', token, ...request }))
    return reply.kind === 'refused' ? { kind: 'heartbeat', errorCode: reply.errorCode } : reply
  }

  leave(groupId: string, members: readonly LeavingMember[]): LeaveReply | RefusedReply {
    const shard = this.#locate(groupId)
    if (!(shard instanceof Shard)) return { kind: 'refused', errorCode: shard }
    if (shard.get(groupId) === undefined) {
      return { kind: 'leave', members: members.map((member) => ({ ...member, errorCode: ErrorCode.UNKNOWN_MEMBER_ID })) }
    }
    return shard.requestNow<LeaveReply>(groupId, (token) => ({ type: 'leave', token, members }))
  }

  // ---------------------------------------------------------------------------------------------------------- offsets

  async commitOffsets(groupId: string, request: CommitRequest): Promise<CommitReply> {
    const shard = this.#locate(groupId)
    if (!(shard instanceof Shard)) return commitReply(request, () => shard)
    return commitOffsets(shard, groupId, request, this.#ports.now(), this.#config.offsetMetadataMaxBytes)
  }

  fetchOffsets(groupId: string, request: FetchOffsetsRequest): FetchOffsetsReply {
    const shard = this.#locate(groupId)
    return shard instanceof Shard ? fetchOffsets(shard.get(groupId), request) : { errorCode: shard, topics: [] }
  }

  async deleteOffsets(groupId: string, topics: readonly TopicPartitions[]): Promise<DeleteOffsetsReply> {
    const shard = this.#locate(groupId)
    return shard instanceof Shard ? deleteOffsets(shard, groupId, topics) : { errorCode: shard, topics: [] }
  }

  // --------------------------------------------------------------------------------------------------- administration

  async deleteGroup(groupId: string): Promise<ErrorCode> {
    const shard = this.#locate(groupId)
    return shard instanceof Shard ? shard.delete(groupId) : shard
  }

  describe(groupId: string): GroupDescription {
    const shard = this.#locate(groupId)
    const group = shard instanceof Shard ? shard.get(groupId) : undefined
    if (group === undefined) {
      const errorCode = shard instanceof Shard ? ErrorCode.GROUP_ID_NOT_FOUND : shard
      return { errorCode, groupId, state: 'Dead', protocolType: '', protocol: '', members: [] }
    }
    // Between generations the members' protocols and assignments are about to change and say nothing reliable.
    const isStable = group.state === 'Stable'
    return {
      errorCode: ErrorCode.NONE,
      groupId,
      state: group.state,
      protocolType: group.protocolType ?? '',
      protocol: isStable ? (group.protocolName ?? '') : '',
      members: [...group.members.values()].map((member) => ({
        memberId: member.memberId,
        instanceId: member.instanceId,
        clientId: member.clientId,
        clientHost: member.clientHost,
        metadata: isStable ? memberMetadata(member, group.protocolName ?? '') : Buffer.alloc(0),
        assignment: isStable ? member.assignment : Buffer.alloc(0),
      })),
    }
  }

  list(): { readonly errorCode: ErrorCode; readonly groups: readonly GroupListing[] } {
    const groups: GroupListing[] = []
    let isLoading = false
    for (const { shard } of this.#partitions.values()) {
      if (shard === null) isLoading = true
      else for (const { groupId, protocolType, state } of shard.groups()) groups.push({ groupId, protocolType: protocolType ?? '', state })
    }
    return { errorCode: isLoading ? ErrorCode.COORDINATOR_LOAD_IN_PROGRESS : ErrorCode.NONE, groups }
  }

  #locate(groupId: string): Shard | ErrorCode {
    if (groupId === '' || Buffer.byteLength(groupId) > ID_BYTES_MAX) return ErrorCode.INVALID_GROUP_ID
    const partition = this.#partitions.get(coordinatorPartition(groupId, this.#ports.partitionCount()))
    if (partition === undefined) return ErrorCode.NOT_COORDINATOR
    return partition.shard ?? ErrorCode.COORDINATOR_LOAD_IN_PROGRESS
  }

  async #eachShard(act: (shard: Shard) => Promise<void>): Promise<void> {
    for (const { shard } of [...this.#partitions.values()]) if (shard !== null) await act(shard)
  }

  #scheduleExpiry(): void {
    this.#expiry = this.#ports.after(EXPIRY_INTERVAL_MS, () => {
      void this.expireNow()
      this.#scheduleExpiry()
    })
  }
}

/** Cut, so that the whole id fits into the group's record: a client may call itself by 32767 bytes. */
function memberIdPrefix({ instanceId, clientId }: JoinRequest): string {
  return (instanceId ?? clientId).slice(0, MEMBER_ID_PREFIX_CHARACTERS_MAX).toWellFormed()
}
