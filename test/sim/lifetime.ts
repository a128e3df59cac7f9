/**
 * One lifetime: a cluster is started, loaded, broken by its schedule of faults, healed, and judged. Everything in it follows
 * from the seed.
 */
import type { SimulatedEnv, SimulatedLogLine } from '../../broker/env/simulated.ts'
import { Audit } from './audit.ts'
import { CommittedContent } from './committed-content.ts'
import { Consuming } from './consuming.ts'
import { FaultInjector } from './fault-injector.ts'
import { FAULT_KINDS, scheduleFaults, type FaultKind } from './fault-schedule.ts'
import { GroupLedger } from './group-ledger.ts'
import { Leaders } from './leaders.ts'
import { ClusterObserver } from './cluster-observer.ts'
import { GROUP, LIFETIME_MS, MIN_INSYNC_REPLICAS, PARTITIONS, START_MS, TOPIC } from './lifetime-constants.ts'
import { LossBound } from './loss-bound.ts'
import { Machines, type ClusterShape, type Machine } from './machines.ts'
import { Producing } from './producing.ts'
import { Trace } from './trace.ts'
import { Violations, type Violation } from './violation.ts'
import { watch } from './watch.ts'

const FAULTS_FROM_MS = 300
const PRODUCERS = 2
const CONSUMERS = 2
/** One lifetime in so many ends with a follower cut off. */
const LAG_TESTED_OF = 5
const LOG_TAIL_LINES = 300
/** No lifetime takes as long, whatever has to recover in it. */
const ENDLESS_MS = 600_000
const PRODUCE_INTERVAL_MS = 220

export interface LifetimeOptions {
  readonly seed: string
  /** Lets more replicas lose what was not synced than the bound allows; losses are then expected. */
  readonly isUnbounded?: boolean
  /** Every event is told, for a close look. */
  readonly onEvent?: (process: string, atMs: number) => void
}

export interface LifetimeResult {
  readonly seed: string
  readonly traceHash: string
  readonly stepCount: number
  readonly virtualMs: number
  readonly violations: readonly Violation[]
  readonly expectedLosses: readonly Violation[]
  readonly faults: Readonly<Record<FaultKind, number>>
  readonly hints: number
  readonly acknowledged: number
  readonly consumed: number
  readonly assignments: number
  readonly quorumElections: number
  readonly partitionElections: number
  readonly comparedBatches: number
  readonly closeCalls: number
  readonly heldBack: number
  readonly wasBeyondBound: boolean
  /** The newest lines of every node's log, for a failure. */
  readonly logTail: readonly string[]
}

export async function runLifetime(options: LifetimeOptions): Promise<LifetimeResult> {
  const lifetime = new Lifetime(options)
  try {
    return await lifetime.run()
  } finally {
    watch(null)
  }
}

class Lifetime {
  readonly #options: LifetimeOptions
  readonly #machines: Machines
  readonly #trace = new Trace()
  readonly #violations: Violations
  readonly #content: CommittedContent
  readonly #leaders: Leaders
  readonly #ledger: GroupLedger
  readonly #bound = new LossBound(MIN_INSYNC_REPLICAS)
  readonly #observer: ClusterObserver
  readonly #injector: FaultInjector
  readonly #producers: Producing[] = []
  readonly #consumers = new Map<string, Consuming>()
  readonly #clients: readonly SimulatedEnv[]
  #phase = 'the cluster starts'

  constructor(options: LifetimeOptions) {
    this.#options = options
    const { seed } = options
    this.#machines = new Machines(shapeOf(seed))
    const { loop } = this.#machines.world
    this.#violations = new Violations(() => Math.round(loop.monotonicMs()))
    this.#content = new CommittedContent(this.#violations)
    this.#leaders = new Leaders(this.#violations)
    this.#ledger = new GroupLedger(this.#violations)
    const parts = {
      content: this.#content,
      leaders: this.#leaders,
      bound: this.#bound,
      trace: this.#trace,
      onVote: (machine: Machine) => this.#injector.voted(machine),
    }
    this.#observer = new ClusterObserver({ machines: this.#machines, violations: this.#violations, ...parts })
    this.#clients = [
      ...Array.from({ length: PRODUCERS }, (_, index) => `producer-${index + 1}`),
      ...Array.from({ length: CONSUMERS }, (_, index) => `consumer-${index + 1}`),
    ].map((name) => this.#machines.world.start(name))
    this.#injector = new FaultInjector({
      seed,
      machines: this.#machines,
      names: [...this.#machines.all, ...this.#clients].map(({ name }) => name),
      bound: this.#bound,
      isUnbounded: options.isUnbounded === true,
      crashConsumer: (name) => this.#crashConsumer(name),
      onDiskFailed: (machine) => this.#observer.diskFailed(machine),
    })
    this.#machines.aroundEnd = (machine, cause, end) => this.#observer.aroundEnd(machine, cause, end)
    loop.onEvent = (owner, atMs) => {
      const name = owner?.name ?? 'world'
      this.#trace.step(name, atMs)
      options.onEvent?.(name, atMs)
    }
  }

  async run(): Promise<LifetimeResult> {
    watch(this.#observer)
    const { loop } = this.#machines.world
    const script = this.#script()
    // A violation ends it where it stands; what the script would have said after that is of no interest.
    await loop.run(Promise.race([script, this.#violations.first, this.#endless()]))
    script.catch(() => undefined)
    return this.#result()
  }

  async #script(): Promise<void> {
    const machines = this.#machines
    const audit = new Audit({
      machines,
      violations: this.#violations,
      content: this.#content,
      ledger: this.#ledger,
      producers: this.#producers,
    })
    await machines.startAll()
    this.#phase = 'the topic is created'
    await audit.createTopic()
    this.#startLoad()
    this.#phase = 'faults strike'
    const startedMs = machines.world.loop.monotonicMs()
    this.#injector.plan(
      scheduleFaults({
        seed: this.#options.seed,
        brokers: machines.brokers.map(({ name }) => name),
        controllers: machines.controllers.map(({ name }) => name),
        clients: this.#clients.map(({ name }) => name),
        consumers: [...this.#consumers.keys()],
        startMs: FAULTS_FROM_MS,
        endMs: LIFETIME_MS,
      }),
    )
    while (machines.world.loop.monotonicMs() - startedMs < LIFETIME_MS) await machines.sleep(500)
    this.#phase = 'it is judged'
    await audit.judge(this.#consumers, numberOf(this.#options.seed) % LAG_TESTED_OF === 0)
    for (const consumer of this.#consumers.values()) consumer.stop()
  }

  async #endless(): Promise<void> {
    await this.#machines.sleep(ENDLESS_MS)
    this.#violations.report('progress resumes after healing', `the lifetime has no end: ${this.#phase}`)
  }

  #startLoad(): void {
    const { bootstrapServers } = this.#machines
    for (const env of this.#clients) {
      if (env.name.startsWith('producer')) {
        const producing = new Producing(env, {
          bootstrapServers,
          topic: TOPIC,
          partitions: PARTITIONS,
          intervalMs: PRODUCE_INTERVAL_MS,
          onAcknowledged: ({ offset }) => this.#trace.step(`${env.name} acknowledged`, offset ?? -1),
        })
        this.#producers.push(producing)
        producing.start()
      } else {
        this.#startConsumer(env)
      }
    }
  }

  #startConsumer(env: SimulatedEnv): void {
    const { bootstrapServers } = this.#machines
    const consuming = new Consuming(env, { bootstrapServers, groupId: GROUP, topic: TOPIC, ledger: this.#ledger })
    this.#consumers.set(env.name, consuming)
    void consuming.run()
  }

  #crashConsumer(name: string): (() => void) | null {
    const consuming = this.#consumers.get(name)
    if (consuming === undefined) return null
    this.#consumers.delete(name)
    consuming.crash()
    return () => this.#startConsumer(this.#machines.world.start(name))
  }

  #result(): LifetimeResult {
    const { loop, logLines } = this.#machines.world
    const faults = Object.fromEntries(FAULT_KINDS.map((kind) => [kind, this.#injector.counts.get(kind) ?? 0]))
    return {
      seed: this.#options.seed,
      traceHash: this.#trace.hash,
      stepCount: this.#trace.stepCount,
      virtualMs: Math.round(loop.monotonicMs()),
      violations: this.#violations.found,
      expectedLosses: this.#violations.expected,
      faults: faults as Record<FaultKind, number>,
      hints: this.#injector.hintCount,
      acknowledged: this.#producers.reduce((total, { acknowledgedCount }) => total + acknowledgedCount, 0),
      consumed: this.#ledger.consumedCount,
      assignments: this.#ledger.assignmentCount,
      quorumElections: this.#leaders.quorumElections,
      partitionElections: this.#leaders.partitionElections,
      comparedBatches: this.#content.comparedBatchCount,
      closeCalls: this.#bound.closeCallCount,
      heldBack: this.#bound.heldBackCount,
      wasBeyondBound: this.#violations.isBeyondBound,
      logTail: this.#violations.found.length === 0 ? [] : tailOf(logLines),
    }
  }
}

function tailOf(lines: readonly SimulatedLogLine[]): readonly string[] {
  const told = lines.filter(({ level }) => level !== 'debug').slice(-LOG_TAIL_LINES)
  return told.map(
    ({ atMs, process, level, message, fields }) => `${atMs - START_MS} ${process} ${level} ${message} ${JSON.stringify(fields)}`,
  )
}

/** Three of each, now and then more; slow and quick machines. */
function shapeOf(seed: string): ClusterShape {
  const number = numberOf(seed)
  return {
    seed,
    brokers: number % 7 === 0 ? 4 : 3,
    voters: number % 11 === 0 ? 5 : 3,
    diskLatencyMsMax: [0.3, 1, 3][number % 3]!,
    networkLatencyMsMax: [0.5, 2, 8][(number >>> 8) % 3]!,
  }
}

function numberOf(seed: string): number {
  return [...seed].reduce((sum, letter) => Math.imul(sum ^ letter.charCodeAt(0), 0x01000193) >>> 0, 0x811c9dc5)
}
