/**
 * A broker's view of the cluster: it follows the metadata log as an observer of the quorum, keeps its own copy on disk, and
 * holds the image of what is committed.
 *
 * After a restart the last snapshot stands at once, and the copy is read on from there as far as the controller says it is
 * committed; a copy that has parted from the controller's log is cut back to where they agree. While no controller answers, the
 * last image stands.
 */
import type { MetadataImage } from '../cluster/image.ts'
import type { MetadataDelta } from '../cluster/metadata-delta.ts'
import type { Env } from '../env/types.ts'
import type { PartitionLog } from '../log/types.ts'
import { INITIAL_ELECTION_STATE } from '../quorum/election-state.ts'
import type { VoterSet } from '../quorum/types.ts'
import type { ControllerChannels } from './controller-channels.ts'
import { MetadataReplica } from './metadata-replica.ts'

export interface MetadataObserverOptions {
  readonly nodeId: number
  readonly clusterId: string
  /** Of the log directory the copy lies in. */
  readonly directoryId: string
  /** The partition log of `__cluster_metadata-0`, opened with `metadataLogConfig`. */
  readonly log: PartitionLog
  readonly voters: VoterSet
  readonly channels: ControllerChannels
  /** Record bytes applied from one snapshot to the next. */
  readonly snapshotAfterBytes: number
  /** Called when the metadata can no longer be followed and the broker must end. */
  readonly onFailed: (reason: string) => void
}

export class MetadataObserver {
  readonly #replica: MetadataReplica
  #leaderListeners: (() => void)[] = []

  constructor(env: Env, options: MetadataObserverOptions) {
    const { nodeId: id, directoryId, ...rest } = options
    this.#replica = new MetadataReplica(env, { ...rest, self: { id, directoryId }, election: INITIAL_ELECTION_STATE })
    this.#replica.driver.subscribe({ onRoleChanged: () => this.#wakeLeaderListeners() })
  }

  /** Immutable; the newest that is known to be committed. */
  get image(): MetadataImage {
    return this.#replica.applier.image
  }

  /** The active controller as far as known. */
  get leaderId(): number | null {
    return this.#replica.driver.state.leaderId
  }

  get leaderEpoch(): number {
    return this.#replica.driver.state.epoch
  }

  start(): Promise<void> {
    return this.#replica.start()
  }

  /** Hears every change from the empty image on, in order, if subscribed before `start`. */
  onDelta(listener: (delta: MetadataDelta) => void): () => void {
    return this.#replica.applier.subscribe(listener)
  }

  /** Resolves once the image contains the record at `offset`. */
  reached(offset: number): Promise<void> {
    return this.#replica.applier.reached(offset)
  }

  /** Calls `listener` once, when the controller or its epoch changes next. */
  onceLeaderChanges(listener: () => void): void {
    this.#leaderListeners.push(listener)
  }

  close(): Promise<void> {
    return this.#replica.close()
  }

  #wakeLeaderListeners(): void {
    const listeners = this.#leaderListeners
    this.#leaderListeners = []
    for (const listener of listeners) listener()
  }
}
