/**
 * What moves in one cluster: asked of the controller once a second, while somebody looks or a run is under way, and never otherwise.
 * It drives the run and knows what others have started.
 */
import type { OngoingReassignment } from '../../client/types.ts'
import { reassignmentRowsMax, type MovingPartition, type ReassignmentState } from '../../contract/reassignments.ts'
import type { Env } from '../../env/types.ts'
import type { ClusterSession } from '../clusters/session.ts'
import { toHostError, toProblem } from '../problem.ts'
import { createChanges } from '../rpc/changes.ts'
import { pause } from '../rpc/waiting.ts'
import { copied, hindrance, isUnderWay, movingView, originOf, targetOf, tracked, type Sighting } from './progress.ts'
import { added, type Move } from './plan-types.ts'
import type { ReassignmentRun } from './run.ts'

const lookIntervalMs = 1_000
const lookDeadlineMs = 5_000
const stateOrder: Readonly<Record<MovingPartition['state'], number>> = { moving: 0, waiting: 1, failed: 2, cancelled: 3, done: 4 }

type Sizes = ReadonlyMap<string, ReadonlyMap<number, number>>

export class ReassignmentWatch {
  run: ReassignmentRun | null = null
  readonly #env: Env
  readonly #session: ClusterSession
  readonly #onRunOver: (run: ReassignmentRun) => void
  readonly #onOverdue: (run: ReassignmentRun) => Promise<void>
  readonly #changes = createChanges()
  #ongoing: ReadonlyMap<string, OngoingReassignment> = new Map()
  #sizes: Sizes | null = null
  /** Read anew for partitions of the run that are listed no more. */
  #unlisted: ReadonlyMap<string, Sighting['present']> = new Map()
  #isSupported = true
  #gap: string | null = null
  #asOfMs: number | null = null
  #looking: Promise<void> | null = null
  #isLooping = false
  #skipPause = new AbortController()

  constructor(
    env: Env,
    session: ClusterSession,
    hooks: { readonly onRunOver: (run: ReassignmentRun) => void; readonly onOverdue: (run: ReassignmentRun) => Promise<void> },
  ) {
    this.#env = env
    this.#session = session
    this.#onRunOver = hooks.onRunOver
    this.#onOverdue = hooks.onOverdue
  }

  /** Looks as long as somebody listens. */
  on(listener: () => void): () => void {
    const stop = this.#changes.on(listener)
    void this.#loop()
    return stop
  }

  changed(): void {
    this.#changes.emit()
  }

  /** A run has begun, or something was cancelled: looks now, and goes on while a run is under way. */
  hurry(): void {
    this.#skipPause.abort()
    void this.#loop()
  }

  /** The state, looked up first when nobody has been looking. */
  async read(topic: string | null): Promise<ReassignmentState> {
    if (this.#asOfMs === null) await this.#look()
    return this.state(topic)
  }

  /** Everything that moves now, whoever started it. Rejects when the controller cannot be asked. */
  async ongoing(): Promise<readonly OngoingReassignment[]> {
    const ongoing = await this.#session.client.admin.listPartitionReassignments('all', { timeoutMs: lookDeadlineMs })
    this.#ongoing = new Map(ongoing.map((one) => [keyOf(one), one]))
    return ongoing
  }

  /** What others have started. */
  elsewhere(): readonly OngoingReassignment[] {
    const own = new Set(this.run?.isActive ? this.run.moves.filter(isUnderWay).map(keyOf) : [])
    return [...this.#ongoing].filter(([key]) => !own.has(key)).map(([, one]) => one)
  }

  state(topic: string | null): ReassignmentState {
    const elsewhere = this.elsewhere()
    const isAsked = (one: { readonly topic: string }): boolean => topic === null || one.topic === topic
    const taken = new Set(elsewhere.map(keyOf))
    const rows = [
      ...elsewhere.filter(isAsked).map((one) => this.#elsewhereView(one)),
      ...(this.run?.moves ?? []).filter((move) => isAsked(move) && !taken.has(keyOf(move))).map((move) => movingView(move, 'run')),
    ].sort((a, b) => stateOrder[a.state] - stateOrder[b.state] || a.topic.localeCompare(b.topic) || a.partition - b.partition)
    return {
      asOfMs: this.#asOfMs ?? this.#env.clock.nowMs(),
      run: this.run?.view() ?? null,
      partitions: rows.slice(0, reassignmentRowsMax),
      partitionTotal: rows.length,
      elsewhereCount: elsewhere.length,
      isSupported: this.#isSupported,
      gaps: this.#gap === null ? [] : [this.#gap],
    }
  }

  #elsewhereView(one: OngoingReassignment): MovingPartition {
    const move: Move = { topic: one.topic, partition: one.partition, before: originOf(one), after: targetOf(one) }
    const sighting = this.#sightingOf(move)
    return movingView(
      { ...tracked(move), ...copied(tracked(move), sighting), state: 'moving', problem: hindrance(move, sighting) },
      'elsewhere',
    )
  }

  async #loop(): Promise<void> {
    if (this.#isLooping) return
    this.#isLooping = true
    const { signal } = this.#session
    while (!signal.aborted && (this.#changes.listenerCount > 0 || this.run?.isActive === true)) {
      await this.#look()
      await pause(this.#env, lookIntervalMs, AbortSignal.any([signal, this.#skipPause.signal]))
      if (this.#skipPause.signal.aborted) this.#skipPause = new AbortController()
    }
    this.#isLooping = false
  }

  /** One look; those who ask meanwhile share it. Never rejects. */
  #look(): Promise<void> {
    this.#looking ??= this.#lookNow().finally(() => (this.#looking = null))
    return this.#looking
  }

  async #lookNow(): Promise<void> {
    try {
      await this.ongoing()
      this.#isSupported = true
      this.#sizes = await this.#readSizes()
      this.#unlisted = await this.#readUnlisted()
      this.#gap = null
    } catch (error) {
      if (this.#session.signal.aborted) return
      const problem = toProblem(error, this.#session.name)
      this.#isSupported = problem.code !== 'UNSUPPORTED'
      this.#gap = `What moves could not be read: ${problem.message}`
      this.run?.hindered(problem)
      this.#seen()
      return
    }
    await this.#driveRun()
    this.#seen()
  }

  #seen(): void {
    this.#asOfMs = this.#env.clock.nowMs()
    this.#changes.emit()
  }

  async #driveRun(): Promise<void> {
    const { run } = this
    if (run === null || !run.isActive) return
    try {
      if (run.isOverdue) await this.#onOverdue(run)
      else if (await run.advance((move) => this.#sightingOf(move))) this.#onRunOver(run)
    } catch (error) {
      run.hindered(toProblem(error, this.#session.name))
    }
  }

  /** Sizes of what moves, on the brokers it moves between; `null` when nothing does or a broker did not say. */
  async #readSizes(): Promise<Sizes | null> {
    const moving = [...this.#ongoing.values()]
    if (moving.length === 0) return null
    const sizes = new Map<string, Map<number, number>>()
    const alive = new Set(this.#session.knowledge.brokers.map(({ nodeId }) => nodeId))
    const nodeIds = [...new Set(moving.flatMap(({ replicas }) => replicas))].filter((id) => alive.has(id))
    try {
      const described = await this.#session.client.admin.describeLogDirs({
        nodeIds,
        topics: [...new Set(moving.map(({ topic }) => topic))],
        timeoutMs: lookDeadlineMs,
      })
      for (const { nodeId, replicas } of described.directories) {
        for (const replica of replicas) {
          if (replica.isFuture) continue
          const key = keyOf(replica)
          const own = sizes.get(key) ?? new Map<number, number>()
          own.set(nodeId, replica.sizeBytes)
          sizes.set(key, own)
        }
      }
      return sizes
    } catch (error) {
      // Partitions are still counted; only their bytes are not known.
      this.#env.log.write('warn', 'sizes of moving partitions could not be read', {
        cluster: this.#session.id,
        error: toHostError(error).message,
      })
      return null
    }
  }

  /** What the samplers know may be older than the list; these are judged by what brokers say now. */
  async #readUnlisted(): Promise<ReadonlyMap<string, Sighting['present']>> {
    const moves = (this.run?.moves ?? []).filter((move) => move.state === 'moving' && !this.#ongoing.has(keyOf(move)))
    const names = [...new Set(moves.map(({ topic }) => topic))]
    if (names.length === 0) return new Map()
    const topics = await this.#session.client.admin.describeTopics(names, { timeoutMs: lookDeadlineMs })
    const byName = new Map(topics.map((topic) => [topic.name, topic]))
    return new Map(moves.map((move) => [keyOf(move), byName.get(move.topic)?.partitions[move.partition] ?? null]))
  }

  #sightingOf(move: Move): Sighting {
    const { knowledge } = this.#session
    const key = keyOf(move)
    return {
      ongoing: this.#ongoing.get(key) ?? null,
      present: this.#unlisted.has(key)
        ? (this.#unlisted.get(key) ?? null)
        : (knowledge.topics.get(move.topic)?.partitions[move.partition] ?? null),
      sizes: this.#sizes?.get(key) ?? (added(move).length === 0 ? new Map() : null),
      alive: new Set(knowledge.brokers.map(({ nodeId }) => nodeId)),
    }
  }
}

function keyOf({ topic, partition }: { readonly topic: string; readonly partition: number }): string {
  return `${topic} ${partition}`
}
