import { GroupCoordinator } from '../../../broker/coordinator/group-coordinator.ts'
import type { CoordinatorRecord } from '../../../broker/coordinator/group-records.ts'
import type { Group, GroupConfig, JoinRequest } from '../../../broker/coordinator/group-types.ts'
import { ErrorCode } from '../../../broker/wire/errors.ts'

/** Kafka's defaults. */
const defaultConfig: GroupConfig = {
  initialRebalanceDelayMs: 3_000,
  minSessionTimeoutMs: 6_000,
  maxSessionTimeoutMs: 1_800_000,
  maxSize: 2_147_483_647,
  offsetMetadataMaxBytes: 4_096,
  offsetsRetentionMs: 7 * 24 * 3_600_000,
}

/** A coordinator of one partition on virtual time, with an in-memory log that commits at once unless told otherwise. */
export class Harness {
  nowMs = 1_000_000
  readonly log: CoordinatorRecord[] = []
  readonly transitions: string[] = []
  /** Groups that no record could hold. */
  readonly unwritable: string[] = []
  /** What appends answer. */
  appendOutcome: ErrorCode = ErrorCode.NONE
  /** While true, appends wait for `releaseAppends`. */
  holdsAppends = false
  readonly coordinator: GroupCoordinator
  readonly #timers = new Set<{ atMs: number; order: number; callback: () => void }>()
  #held: (() => void)[] = []
  #order = 0
  #ids = 0

  constructor(config: Partial<GroupConfig> = {}) {
    this.coordinator = new GroupCoordinator(
      {
        now: () => ({ wallMs: this.nowMs, monotonicMs: this.nowMs }),
        after: (delayMs, callback) => {
          const timer = { atMs: this.nowMs + delayMs, order: this.#order++, callback }
          this.#timers.add(timer)
          return { cancel: () => void this.#timers.delete(timer) }
        },
        uuid: () => `uuid-${++this.#ids}`,
        partitionCount: () => 1,
        append: (_partition, records) => this.#append(records),
        read: (_partition) => this.#read(),
        onUnwritable: ({ groupId }) => this.unwritable.push(groupId),
        onTransition: (group: Group) => this.transitions.push(`${group.groupId}:${group.state}`),
      },
      { ...defaultConfig, initialRebalanceDelayMs: 0, ...config },
    )
  }

  static async started(config: Partial<GroupConfig> = {}): Promise<Harness> {
    const harness = new Harness(config)
    await harness.coordinator.elected(0, 1)
    return harness
  }

  /** Moves virtual time on, firing what falls due in order, and lets promises settle in between. */
  async advance(byMs: number): Promise<void> {
    const untilMs = this.nowMs + byMs
    for (;;) {
      await settle()
      const next = [...this.#timers].filter(({ atMs }) => atMs <= untilMs).sort((a, b) => a.atMs - b.atMs || a.order - b.order)[0]
      if (next === undefined) break
      this.#timers.delete(next)
      this.nowMs = Math.max(this.nowMs, next.atMs)
      next.callback()
    }
    this.nowMs = untilMs
    await settle()
  }

  async releaseAppends(): Promise<void> {
    this.holdsAppends = false
    for (const release of this.#held.splice(0)) release()
    await settle()
  }

  async #append(records: readonly CoordinatorRecord[]): Promise<ErrorCode> {
    if (this.appendOutcome !== ErrorCode.NONE) return this.appendOutcome
    this.log.push(...records)
    if (this.holdsAppends) await new Promise<void>((resolve) => this.#held.push(resolve))
    return this.appendOutcome
  }

  async *#read() {
    yield* [...this.log]
  }
}

export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve()
}

export function joinRequest(overrides: Partial<JoinRequest> = {}): JoinRequest {
  return {
    memberId: '',
    instanceId: null,
    clientId: 'client',
    clientHost: '/127.0.0.1',
    sessionTimeoutMs: 10_000,
    rebalanceTimeoutMs: 60_000,
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: Buffer.from('range metadata') }],
    requiresKnownMemberId: false,
    supportsSkippingAssignment: false,
    ...overrides,
  }
}

export const claim = (memberId: string, generationId: number, instanceId: string | null = null) => ({ memberId, generationId, instanceId })

export const syncRequest = (
  memberId: string,
  generationId: number,
  assignments: Record<string, string> = {},
  instanceId: string | null = null,
) => ({
  ...claim(memberId, generationId, instanceId),
  protocolType: null,
  protocolName: null,
  assignments: Object.entries(assignments).map(([id, assignment]) => ({ memberId: id, assignment: Buffer.from(assignment) })),
})

/** Whether a promise has settled, without waiting for it. */
export function watch<T>(promise: Promise<T>): { value: T | undefined; done: boolean } {
  const seen: { value: T | undefined; done: boolean } = { value: undefined, done: false }
  void promise.then((value) => {
    seen.value = value
    seen.done = true
  })
  return seen
}
