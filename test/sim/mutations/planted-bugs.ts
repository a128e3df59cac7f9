/**
 * Bugs as somebody might really write them, each a replacement of one passage of the sources. They are planted while the
 * sources are loaded, in a process of their own; nothing in the product knows of them. The simulator has to find each.
 */
import type { InvariantName } from '../violation.ts'

export interface PlantedBug {
  readonly name: string
  /** From the root of the repository. */
  readonly file: string
  /** Occurs exactly once in the file. */
  readonly passage: string
  readonly replacement: string
  readonly breaks: InvariantName
  /** Lifetimes within which it has to be found. */
  readonly lifetimesMax: number
}

export const plantedBugs: readonly PlantedBug[] = [
  {
    name: 'a vote not persisted',
    file: 'broker/node/quorum-driver.ts',
    passage: 'encodeElectionState(election))',
    replacement: 'encodeElectionState({ ...election, votedFor: null }))',
    breaks: 'one quorum leader per epoch',
    // About one lifetime in forty has two rivals and a voter that dies between their two requests.
    lifetimesMax: 300,
  },
  {
    name: 'a high watermark advanced too early',
    file: 'broker/node/partition.ts',
    passage: 'const offset = this.#inSync.commonEnd(log.writtenEndOffset, log.logEndOffset, this.#monotonicMs())',
    replacement: 'const offset = log.writtenEndOffset',
    breaks: 'content below a high watermark never changes',
    lifetimesMax: 50,
  },
  {
    name: 'an in-sync set not shrunk',
    file: 'broker/cluster/in-sync-replicas.ts',
    passage: 'if (kept.length === this.#committed.isr.length) return false',
    replacement: 'if (kept.length <= this.#committed.isr.length) return false',
    breaks: 'writing goes on without a lagging follower',
    lifetimesMax: 50,
  },
  {
    name: 'a truncation skipped',
    file: 'broker/cluster/follower-fetch.ts',
    passage: 'const lastFetchedEpoch = logEndOffset > logStartOffset ? log.epochForOffset(logEndOffset - 1) : -1',
    replacement: 'const lastFetchedEpoch = -1',
    breaks: 'content below a high watermark never changes',
    lifetimesMax: 150,
  },
  {
    name: 'a duplicate accepted',
    file: 'broker/log/log-append.ts',
    passage: "if (producerCheck.kind === 'duplicate') return duplicate(core, producerCheck.batch)",
    replacement: "if (producerCheck.kind === 'duplicate' && core.isClosed) return duplicate(core, producerCheck.batch)",
    breaks: 'records of an idempotent producer are not duplicated',
    lifetimesMax: 50,
  },
]
