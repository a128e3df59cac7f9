/**
 * The snapshot that a replica behind the start of the leader's log is fetching: one at a time, beside everything else it does. News
 * of one that was given up for another, or for the end of this node, is not reported.
 */
import type { Logger } from '../env/types.ts'
import type { QuorumEvent, SnapshotId } from '../quorum/types.ts'

export interface SnapshotRequest {
  readonly from: number
  readonly snapshot: SnapshotId
  /** The leader's. */
  readonly epoch: number
  readonly signal: AbortSignal
  readonly onPart: () => void
}

export interface QuorumSnapshotOptions {
  readonly log: Logger
  /** Fetches that snapshot and keeps it aside. Rejects when it cannot be had, or `signal` gives it up. */
  readonly fetch: (request: SnapshotRequest) => Promise<void>
  readonly report: (event: QuorumEvent) => void
}

export class QuorumSnapshot {
  readonly #options: QuorumSnapshotOptions
  #fetching: AbortController | null = null

  constructor(options: QuorumSnapshotOptions) {
    this.#options = options
  }

  fetch({ from, snapshot, epoch }: Pick<SnapshotRequest, 'from' | 'snapshot' | 'epoch'>): void {
    const { log, fetch } = this.#options
    this.giveUp()
    const { signal } = (this.#fetching = new AbortController())
    const report = (event: QuorumEvent): void => (signal.aborted ? undefined : this.#options.report(event))
    const onPart = (): void => report({ type: 'snapshotPart', from })
    log.write('info', 'this node is behind the start of the metadata log and fetches a snapshot', { from, ...snapshot })
    fetch({ from, snapshot, epoch, signal, onPart }).then(
      () => report({ type: 'snapshotFetched', from, snapshot }),
      (error: unknown) => {
        log.write('warn', 'a snapshot of the metadata could not be fetched', { from, reason: String(error) })
        report({ type: 'snapshotFailed', from })
      },
    )
  }

  giveUp(): void {
    this.#fetching?.abort()
  }
}
