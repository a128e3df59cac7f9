/**
 * The services of a controller, as its API handlers see them. Declared here, implemented in node/; a handler names only those it
 * uses, by taking a `Pick`.
 */
import type { HeartbeatAnswer, HeartbeatRequest, RegistrationAnswer, RegistrationRequest } from '../cluster/broker-control.ts'
import type { Decision, DecisionInput } from '../cluster/decision.ts'
import type { MetadataImage } from '../cluster/image.ts'
import type { TopicDefaults } from '../cluster/topic-control.ts'
import type { QuorumRequest, QuorumResponse, QuorumState, ReplicaKey, SnapshotId } from '../quorum/types.ts'
import type { AdvertisedApi, PeerAddress, Time } from './context.ts'
import type { Principal } from '../security/principal.ts'

export interface ControllerServices {
  readonly nodeId: number
  readonly clusterId: string
  /** As of the last committed record. Immutable; take it once per request. */
  image(): MetadataImage
  readonly time: Time
  readonly quorum: QuorumServices
  readonly controller: ActiveController
  readonly topicDefaults: TopicDefaults
  /** Settings given at start, by Kafka's names. */
  readonly overrides: Readonly<Record<string, string>>
  newUuid(): string
  advertisedApis(listener: string): readonly AdvertisedApi[]
  readonly forwarded: ForwardedRequests
}

/** What only the quorum's leader does. Every call rejects with `NotController` on any other node, or once it is one. */
export interface ActiveController {
  readonly isActive: boolean
  /**
   * Appends what `decide` decides as one batch, and resolves with its answer once that is committed. A rehearsal appends
   * nothing and resolves with what would be answered.
   */
  write<Answer>(decide: (input: DecisionInput) => Decision<Answer>, options?: { readonly isRehearsal: boolean }): Promise<Answer>
  registerBroker(request: RegistrationRequest): Promise<RegistrationAnswer>
  heartbeat(request: HeartbeatRequest): Promise<HeartbeatAnswer>
}

export class NotController extends Error {
  constructor() {
    super('this node is not the active controller')
    this.name = 'NotController'
  }
}

export interface QuorumServices {
  readonly state: QuorumState
  readonly logEndOffset: number
  /** Answers another node; a fetch may wait for news. Null when this node is stopping. */
  handle(request: QuorumRequest, signal: AbortSignal): Promise<QuorumResponse | null>
  /** Part of a snapshot; null when there is no such snapshot. */
  readSnapshot(snapshot: SnapshotId, part: { readonly position: number; readonly maxBytes: number }): Promise<SnapshotPart | null>
  /** Notes that a replica which takes this node for the leader of `epoch` asked for part of a snapshot. */
  snapshotAsked(replica: ReplicaKey, epoch: number): void
  /** Where the voters' INTERNAL listeners are, as far as known. */
  voterAddresses(): readonly { readonly id: number; readonly host: string; readonly port: number }[]
}

export interface SnapshotPart {
  readonly sizeBytes: number
  readonly bytes: Buffer
}

export interface ForwardedRequests {
  /**
   * Carries out a client's request that a broker passed on. Resolves with the frame of the reply; null when the API is not
   * served to clients. Rejects with `NotController`.
   */
  carryOut(
    frame: Buffer,
    from: { readonly principal: Principal; readonly peer: PeerAddress; readonly signal: AbortSignal },
  ): Promise<Buffer | null>
}
