/**
 * One replica of the cluster metadata, a voter's or an observer's: the log, its snapshots, the image made from both, and the part
 * the node takes in the quorum.
 *
 *   snapshot loaded -> log applied as far as the leader says it is committed -> ... -> closed
 *
 * A snapshot is made from the image each time enough was applied since the last one, and the log is cut behind the older of the
 * two that are kept; so what a snapshot contains is committed always. A replica that finds itself behind the start of the leader's
 * log takes over the leader's snapshot.
 */
import { imageRecords } from '../cluster/image-records.ts'
import { MetadataImage } from '../cluster/image.ts'
import type { Env } from '../env/types.ts'
import type { PartitionLog } from '../log/types.ts'
import { QUORUM_TIMEOUTS, type ElectionState, type ReplicaKey, type SnapshotId, type VoterSet } from '../quorum/types.ts'
import type { ControllerChannels } from './controller-channels.ts'
import { MetadataApplier } from './metadata-applier.ts'
import { MetadataLog } from './metadata-log.ts'
import type { Snapshot } from './metadata-snapshot.ts'
import { QuorumDriver } from './quorum-driver.ts'
import { QuorumPeers } from './quorum-peers.ts'
import type { SnapshotRequest } from './quorum-snapshot.ts'
import { snapshotParts } from './snapshot-download.ts'
import { SnapshotStore } from './snapshot-store.ts'

export interface MetadataReplicaOptions {
  readonly self: ReplicaKey
  readonly clusterId: string
  readonly voters: VoterSet
  readonly election: ElectionState
  /** The partition log of `__cluster_metadata-0`, opened with `metadataLogConfig`. */
  readonly log: PartitionLog
  readonly channels: ControllerChannels
  /** Record bytes applied from one snapshot to the next. */
  readonly snapshotAfterBytes: number
  /** Called when this node can take no further part and must end. */
  readonly onFailed: (reason: string) => void
}

export class MetadataReplica {
  readonly driver: QuorumDriver
  readonly applier: MetadataApplier
  readonly snapshots: SnapshotStore
  readonly #env: Env
  readonly #options: MetadataReplicaOptions
  readonly #log: MetadataLog
  /** Fetched and not yet installed. */
  #fetched: { readonly id: SnapshotId; readonly content: Snapshot } | null = null
  #making: Promise<void> | null = null
  /** `appliedBytes` when the last snapshot was begun. */
  #bytesAtSnapshot = 0

  constructor(env: Env, options: MetadataReplicaOptions) {
    this.#env = env
    this.#options = options
    const { self, clusterId, voters, election, channels, onFailed } = options
    this.#log = new MetadataLog(env, options.log, onFailed)
    this.snapshots = new SnapshotStore(env, this.#log.directory)
    this.applier = new MetadataApplier(this.#log, MetadataImage.empty(clusterId), onFailed)
    const peers = new QuorumPeers(env, channels)
    this.driver = new QuorumDriver(env, {
      config: { self, clusterId, ...QUORUM_TIMEOUTS },
      voters,
      election,
      log: this.#log,
      ports: {
        send: (to, request) => peers.send(to, request),
        fetchSnapshot: (request) => this.#fetch(request),
        installSnapshot: (snapshot) => this.#install(snapshot),
      },
      onFailed,
    })
    this.driver.subscribe({ onHighWatermark: (offset) => this.applier.applyUpTo(offset) })
    this.applier.subscribe(() => this.#snapshotIfDue())
  }

  /** Loads the newest snapshot, then takes part. Rejects when the log was cut behind a snapshot that cannot be read any more. */
  async start(): Promise<void> {
    const newest = await this.snapshots.open()
    if (newest !== null) await this.#load(newest.id, newest)
    else if (this.#log.startOffset > 0) {
      throw new Error(
        `${this.#log.directory} starts at ${this.#log.startOffset} and no snapshot of what came before can be read. Restore it, or remove this node's folder and let it join as a new one.`,
      )
    }
    await this.driver.start()
  }

  async close(): Promise<void> {
    await this.driver.close()
    await this.#making
  }

  async #load(id: SnapshotId, { records }: Snapshot): Promise<void> {
    // What was not synced may have gone with the power; the snapshot was.
    if (this.#log.endOffset < id.endOffset) await this.#log.restartAt(id.endOffset)
    this.#log.setHighWatermark(id.endOffset)
    this.#log.setSnapshots(this.snapshots.kept)
    this.applier.load(records, id)
  }

  // ------------------------------------------------------------------------------------------------- from the leader

  async #fetch(request: SnapshotRequest): Promise<void> {
    const { self: replica, clusterId, channels } = this.#options
    const content = await this.snapshots.receive(request.snapshot, snapshotParts(channels, { ...request, replica, clusterId }))
    this.#fetched = { id: request.snapshot, content }
  }

  async #install(id: SnapshotId): Promise<void> {
    const fetched = this.#fetched
    this.#fetched = null
    if (fetched === null || fetched.id.endOffset !== id.endOffset) throw new Error(`the snapshot at ${id.endOffset} was not fetched`)
    await this.#making
    await this.applier.idle()
    await this.#log.restartAt(id.endOffset)
    await this.snapshots.keepAlone(id)
    await this.#load(id, fetched.content)
  }

  // --------------------------------------------------------------------------------------------------- from our image

  #snapshotIfDue(): void {
    const bytes = this.applier.appliedBytes
    if (this.#making !== null || bytes - this.#bytesAtSnapshot < this.#options.snapshotAfterBytes) return
    this.#bytesAtSnapshot = bytes
    this.#making = this.#snapshot(this.applier.image).finally(() => {
      this.#making = null
    })
  }

  /** A disk that has no room costs the snapshot, not the node: the next one is due after as much again. */
  async #snapshot(image: MetadataImage): Promise<void> {
    const { log } = this.#env
    const id = { endOffset: image.offset + 1, epoch: image.epoch }
    try {
      await this.snapshots.write(id, { voters: this.#options.voters, records: imageRecords(image) })
      this.#log.setSnapshots(this.snapshots.kept)
      log.write('info', 'made a snapshot of the metadata', { ...id, topics: image.topicCount, logStartOffset: this.#log.startOffset })
    } catch (error) {
      log.write('error', 'no snapshot of the metadata could be made; its log goes on growing', { ...id, reason: String(error) })
    }
  }
}
