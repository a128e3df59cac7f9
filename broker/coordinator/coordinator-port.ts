import type { ErrorCode } from '../wire/errors.ts'
import type { GroupStateName, HeartbeatReply, JoinReply, JoinRequest, LeaveReply, RefusedReply, SyncReply } from './group-types.ts'

/**
 * What the group APIs ask of the coordinator on this broker. Implemented by group-coordinator.ts.
 *
 * Every answer may be NOT_COORDINATOR (the group's partition is led elsewhere), COORDINATOR_LOAD_IN_PROGRESS (it is being
 * read), or INVALID_GROUP_ID; promises never reject for reasons a client causes.
 */
export interface GroupCoordinatorPort {
  join(groupId: string, request: JoinRequest): Promise<JoinReply>
  sync(groupId: string, request: SyncRequest): Promise<SyncReply>
  heartbeat(groupId: string, request: MemberClaim): HeartbeatReply
  leave(groupId: string, members: readonly LeavingMember[]): LeaveReply | RefusedReply
  commitOffsets(groupId: string, request: CommitRequest): Promise<CommitReply>
  fetchOffsets(groupId: string, request: FetchOffsetsRequest): FetchOffsetsReply
  deleteOffsets(groupId: string, topics: readonly TopicPartitions[]): Promise<DeleteOffsetsReply>
  deleteGroup(groupId: string): Promise<ErrorCode>
  describe(groupId: string): GroupDescription
  /** The groups whose coordinator this broker is. `errorCode` is COORDINATOR_LOAD_IN_PROGRESS while any are still read. */
  list(): { readonly errorCode: ErrorCode; readonly groups: readonly GroupListing[] }
}

export interface MemberClaim {
  readonly memberId: string
  readonly instanceId: string | null
  readonly generationId: number
}

export interface SyncRequest extends MemberClaim {
  readonly protocolType: string | null
  readonly protocolName: string | null
  readonly assignments: readonly { readonly memberId: string; readonly assignment: Buffer }[]
}

export interface LeavingMember {
  readonly memberId: string
  readonly instanceId: string | null
}

export interface CommitRequest extends MemberClaim {
  readonly topics: readonly {
    readonly topic: string
    readonly partitions: readonly {
      readonly partition: number
      readonly offset: number
      readonly leaderEpoch: number
      readonly metadata: string | null
    }[]
  }[]
}

/** In the order of the request. */
export interface CommitReply {
  readonly topics: readonly {
    readonly topic: string
    readonly partitions: readonly { readonly partition: number; readonly errorCode: ErrorCode }[]
  }[]
}

export interface FetchOffsetsRequest {
  /** Null: everything the group has committed. */
  readonly topics: readonly TopicPartitions[] | null
  /** v9+: whose offsets; a stale epoch or unknown member is refused. Null: not said. */
  readonly memberId: string | null
  readonly memberEpoch: number
  readonly requireStable: boolean
}

export interface TopicPartitions {
  readonly topic: string
  readonly partitions: readonly number[]
}

export interface FetchOffsetsReply {
  readonly errorCode: ErrorCode
  readonly topics: readonly {
    readonly topic: string
    readonly partitions: readonly {
      readonly partition: number
      /** -1: nothing committed. */
      readonly offset: number
      readonly leaderEpoch: number
      readonly metadata: string
      readonly errorCode: ErrorCode
    }[]
  }[]
}

export interface DeleteOffsetsReply {
  readonly errorCode: ErrorCode
  readonly topics: readonly {
    readonly topic: string
    readonly partitions: readonly { readonly partition: number; readonly errorCode: ErrorCode }[]
  }[]
}

export interface GroupListing {
  readonly groupId: string
  readonly protocolType: string
  readonly state: GroupStateName
}

export interface GroupDescription {
  /** GROUP_ID_NOT_FOUND with state Dead for a group nobody knows. */
  readonly errorCode: ErrorCode
  readonly groupId: string
  readonly state: GroupStateName
  readonly protocolType: string
  /** The chosen protocol, while stable. */
  readonly protocol: string
  readonly members: readonly {
    readonly memberId: string
    readonly instanceId: string | null
    readonly clientId: string
    readonly clientHost: string
    readonly metadata: Buffer
    readonly assignment: Buffer
  }[]
}
