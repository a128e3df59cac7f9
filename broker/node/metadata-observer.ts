/**
 * A broker's view of the cluster: it follows the metadata log as an observer of the quorum, keeps its own copy on disk, and
 * holds the image of what is committed.
 *
 * After a restart the copy is read again from its start, as far as the controller says it is committed; a copy that has parted
 * from the controller's log is cut back to where they agree. While no controller answers, the last image stands.
 */
import { MetadataImage } from '../cluster/image.ts'
import type { MetadataDelta } from '../cluster/metadata-delta.ts'
import type { Env } from '../env/types.ts'
import type { PartitionLog } from '../log/types.ts'
import { INITIAL_ELECTION_STATE } from '../quorum/election-state.ts'
import { QUORUM_TIMEOUTS, type VoterSet } from '../quorum/types.ts'
import type { ControllerChannels } from './controller-channels.ts'
import { MetadataApplier } from './metadata-applier.ts'
import { MetadataLog } from './metadata-log.ts'
import { QuorumDriver } from './quorum-driver.ts'
import { QuorumPeers } from './quorum-peers.ts'

export interface MetadataObserverOptions {
  readonly nodeId: number
  readonly clusterId: string
  /** Of the log directory the copy lies in. */
  readonly directoryId: string
  /** The partition log of `__cluster_metadata-0`, opened with `metadataLogConfig`. */
  readonly log: PartitionLog
  readonly voters: VoterSet
  readonly channels: ControllerChannels
  /** Called when the metadata can no longer be followed and the broker must end. */
  readonly onFailed: (reason: string) => void
}

export class MetadataObserver {
  readonly #driver: QuorumDriver
  readonly #applier: MetadataApplier
  #leaderListeners: (() => void)[] = []

  constructor(env: Env, options: MetadataObserverOptions) {
    const { nodeId, clusterId, directoryId, voters, channels, onFailed } = options
    const log = new MetadataLog(env, options.log, onFailed)
    const peers = new QuorumPeers(env, channels)
    this.#applier = new MetadataApplier(log, MetadataImage.empty(clusterId), onFailed)
    this.#driver = new QuorumDriver(env, {
      config: { self: { id: nodeId, directoryId }, clusterId, ...QUORUM_TIMEOUTS },
      voters,
      election: INITIAL_ELECTION_STATE,
      log,
      ports: {
        send: (to, request) => peers.send(to, request),
        fetchSnapshot: (from, snapshot) =>
          Promise.reject(new Error(`controller ${from} has cut its metadata log below snapshot ${snapshot.endOffset}`)),
      },
      onFailed,
    })
    this.#driver.subscribe({
      onHighWatermark: (offset) => this.#applier.applyUpTo(offset),
      onRoleChanged: () => this.#wakeLeaderListeners(),
    })
  }

  /** Immutable; the newest that is known to be committed. */
  get image(): MetadataImage {
    return this.#applier.image
  }

  /** The active controller as far as known. */
  get leaderId(): number | null {
    return this.#driver.state.leaderId
  }

  get leaderEpoch(): number {
    return this.#driver.state.epoch
  }

  start(): Promise<void> {
    return this.#driver.start()
  }

  /** Hears every change from the empty image on, in order, if subscribed before `start`. */
  onDelta(listener: (delta: MetadataDelta) => void): () => void {
    return this.#applier.subscribe(listener)
  }

  /** Resolves once the image contains the record at `offset`. */
  reached(offset: number): Promise<void> {
    return this.#applier.reached(offset)
  }

  /** Calls `listener` once, when the controller or its epoch changes next. */
  onceLeaderChanges(listener: () => void): void {
    this.#leaderListeners.push(listener)
  }

  close(): Promise<void> {
    return this.#driver.close()
  }

  #wakeLeaderListeners(): void {
    const listeners = this.#leaderListeners
    this.#leaderListeners = []
    for (const listener of listeners) listener()
  }
}
