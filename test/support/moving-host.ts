/** What moves replicas in a host, on a cluster in memory (`orders`: two partitions on brokers 1 and 2) and a clock that a test moves. */
import type { ReassignmentRun, ReassignmentState } from '../../broker/contract/reassignments.ts'
import { createRealEnv } from '../../broker/env/real.ts'
import type { Change, Journal } from '../../broker/host/journal.ts'
import { toHostError } from '../../broker/host/problem.ts'
import { createReassignments, type ReassignmentManager } from '../../broker/host/reassignments/manager.ts'
import { createChanges } from '../../broker/host/rpc/changes.ts'
import type { SettingStore } from '../../broker/store/settings.ts'
import { FakeMoves } from './fake-moves.ts'
import { manualTime } from './manual-time.ts'

const hourMs = 3_600_000

export interface MovingHost {
  readonly fake: FakeMoves
  readonly stored: Record<string, unknown>
  readonly journalled: readonly (Change & { readonly failure?: string })[]
  readonly manager: ReassignmentManager
  /** Another one over the same store: what an earlier one left is all it knows. */
  restart(): ReassignmentManager
  /** All that can happen without time passing. */
  settle(): Promise<void>
  /** One look of the host at the cluster, or several. */
  looks(count?: number): Promise<ReassignmentState>
  /** Moves `orders` to brokers 2 and 3. */
  start(throttleBytesPerSecond?: number | null, giveUpAfterMs?: number): Promise<ReassignmentRun>
}

export function movingHost(): MovingHost {
  const fake = new FakeMoves()
  fake.addTopic('orders', [
    [1, 2],
    [2, 1],
  ])
  const time = manualTime(1_000)
  const clock = { nowMs: time.nowMs, monotonicMs: time.nowMs }
  const env = { ...createRealEnv({ log: { write: () => undefined } }), clock, timers: time.timers }
  const stored: Record<string, unknown> = {}
  const store: SettingStore = {
    all: () => JSON.parse(JSON.stringify(stored)) as Record<string, unknown>,
    set: (values) => Object.assign(stored, values),
  }
  const journalled: (Change & { readonly failure?: string })[] = []
  const journal = journalInto(journalled)
  let manager = createReassignments(env, store, journal)

  async function settle(): Promise<void> {
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve))
  }

  return {
    fake,
    stored,
    journalled,
    get manager() {
      return manager
    },
    restart: () => (manager = createReassignments(env, store, journal)),
    settle,
    async looks(count = 1) {
      for (let at = 0; at < count; at += 1) {
        await settle()
        time.advance(1_000)
      }
      await settle()
      return manager.watch(fake.session).state(null)
    },
    async start(throttleBytesPerSecond = null, giveUpAfterMs = hourMs) {
      const { planId } = await manager.preview(fake.session, { kind: 'spread', topic: 'orders', brokers: [2, 3], replicationFactor: null })
      const plan = manager.plan('test', planId ?? '')
      return manager.start(fake.session, { ...plan, subject: 'orders', throttleBytesPerSecond, giveUpAfterMs })
    },
  }
}

function journalInto(journalled: (Change & { readonly failure?: string })[]): Journal {
  return {
    change: (change) => journalled.push(change),
    async during(change, work) {
      try {
        const result = await work()
        return { result, activityId: journalled.push(change) }
      } catch (error) {
        journalled.push({ ...change, failure: toHostError(error).message })
        throw error
      }
    },
    event: (event) => void journalled.push(event),
    changes: createChanges(),
  }
}
