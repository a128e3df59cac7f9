/** Everything that changes something is written down here: who, what, before, after, and what undoes it. */
import type { ActivityAction } from '../contract/activity.ts'
import type { Env } from '../env/types.ts'
import type { JournalStore } from '../store/journal.ts'
import { toHostError } from './problem.ts'
import { createChanges, type Changes } from './rpc/changes.ts'

/** How a change is undone. A new kind of change needs a case in `domains/activity.ts`. */
export type Inverse =
  | {
      readonly kind: 'topic.settings'
      readonly topic: string
      /** `expected`: the value the change left behind; another one means that somebody changed it since. */
      readonly changes: readonly { readonly name: string; readonly value: string | null; readonly expected: string | null }[]
    }
  | {
      readonly kind: 'group.reset'
      readonly groupId: string
      /** `offset: null`: there was none. */
      readonly offsets: readonly {
        readonly topic: string
        readonly partition: number
        readonly offset: number | null
        readonly expected: number
      }[]
    }
  | {
      readonly kind: 'reassignment'
      readonly title: string
      readonly topic: string | null
      readonly subject: string
      /** `replicas`: the former ones; `expected`: those the move left behind. */
      readonly moves: readonly {
        readonly topic: string
        readonly partition: number
        readonly replicas: readonly number[]
        readonly expected: readonly number[]
      }[]
    }

export interface Change {
  readonly clusterId: string | null
  readonly action: ActivityAction
  readonly subject: string
  readonly summary: string
  readonly before?: unknown
  readonly after?: unknown
  readonly inverse?: Inverse
}

export interface Journal {
  /** Writes a change that was made; answers its id. */
  change(change: Change): number
  /**
   * Runs `work` and writes the change down, also when it fails; then rethrows. `learned` is what only the result tells: how
   * much it was, and what of it failed.
   */
  during<Result>(
    change: Change,
    work: () => Promise<Result>,
    learned?: (result: Result) => Pick<Change, 'summary' | 'after'> & { readonly failure: string | null },
  ): Promise<{ result: Result; activityId: number }>
  /** Something that happened without anybody asking for it. */
  event(event: Omit<Change, 'inverse'>): void
  readonly changes: Changes
}

export function createJournal(env: Env, store: JournalStore, actor: string): Journal {
  const changes = createChanges()

  function append(change: Change, kind: 'change' | 'event', failure: string | null): number {
    const { id } = store.append({
      atMs: env.clock.nowMs(),
      clusterId: change.clusterId,
      kind,
      actor: kind === 'event' ? 'weir' : actor,
      action: change.action,
      subject: change.subject,
      summary: change.summary,
      before: jsonOrNull(change.before),
      after: jsonOrNull(change.after),
      inverse: failure === null ? jsonOrNull(change.inverse) : null,
      failure,
    })
    changes.emit()
    return id
  }

  return {
    change: (change) => append(change, 'change', null),
    async during(change, work, learned) {
      let result
      try {
        result = await work()
      } catch (error) {
        append(change, 'change', toHostError(error).message)
        throw error
      }
      if (learned === undefined) return { result, activityId: append(change, 'change', null) }
      const { failure, ...told } = learned(result)
      return { result, activityId: append({ ...change, ...told }, 'change', failure) }
    },
    event: (event) => void append(event, 'event', null),
    changes,
  }
}

function jsonOrNull(value: unknown): string | null {
  return value === undefined || value === null ? null : JSON.stringify(value)
}
