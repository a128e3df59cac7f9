/** The end of a lifetime: everything is healed, so it must all work again soon; then everything written is read and judged. */
import { createClient } from '../../broker/client/client.ts'
import type { KafkaClient } from '../../broker/client/types.ts'
import { watched } from './cluster-observer.ts'
import { isMetadata, type CommittedContent } from './committed-content.ts'
import type { Consuming } from './consuming.ts'
import type { GroupLedger } from './group-ledger.ts'
import { ACKNOWLEDGED_MIN, GROUP, MIN_INSYNC_REPLICAS, PARTITIONS, TOPIC } from './lifetime-constants.ts'
import type { Machines } from './machines.ts'
import { judgeProduced, type ReadRecord } from './produced-records.ts'
import type { Producing } from './producing.ts'
import type { Violations } from './violation.ts'

/** After the last fault everything must work within this. */
const RECOVERY_MS = 90_000
/** Well above replica.lag.time.max.ms. */
const LAG_PATIENCE_MS = 10_000
const LOOK_EVERY_MS = 250
const REPLICAS = 3

export interface AuditOptions {
  readonly machines: Machines
  readonly violations: Violations
  readonly content: CommittedContent
  readonly ledger: GroupLedger
  readonly producers: readonly Producing[]
}

export class Audit {
  readonly #options: AuditOptions
  readonly #client: KafkaClient

  constructor(options: AuditOptions) {
    this.#options = options
    const { bootstrapServers, world } = options.machines
    this.#client = createClient(world.start('auditor'), { bootstrapServers, connectTimeoutMs: 1_000, requestTimeoutMs: 3_000 })
  }

  async createTopic(): Promise<void> {
    const { brokers } = this.#options.machines
    const assignments = Array.from({ length: PARTITIONS }, (_, partition) =>
      Array.from({ length: REPLICAS }, (__, index) => brokers[(partition + index) % brokers.length]!.nodeId),
    )
    const [created] = await this.#client.admin.createTopics([
      { name: TOPIC, assignments, configs: { 'min.insync.replicas': String(MIN_INSYNC_REPLICAS) } },
    ])
    if (created?.error !== null) throw new Error(`the topic could not be created: ${String(created?.error)}`)
  }

  /** `isLagTested`: a follower is cut off from its leader once more, and writing must go on without it. */
  async judge(consumers: ReadonlyMap<string, Consuming>, isLagTested: boolean): Promise<void> {
    const { producers, machines, ledger, violations } = this.#options
    for (const machine of machines.all) machines.start(machine)
    const acknowledged = (): number => producers.reduce((total, { acknowledgedCount }) => total + acknowledgedCount, 0)
    await this.#eventually('enough records are acknowledged', () => Promise.resolve(acknowledged() >= ACKNOWLEDGED_MIN))
    for (const producing of producers) producing.stop()
    await this.#eventually('every record is acknowledged or given up', () =>
      Promise.resolve(producers.every(({ pendingCount }) => pendingCount === 0)),
    )
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const probed = await Promise.all(producers.map((producing) => producing.probe(partition)))
      if (probed.includes(false)) violations.report('progress resumes after healing', `nothing can be written to partition ${partition}`)
    }
    await this.#eventually('every replica is in sync', () => this.#isReplicated())
    if (isLagTested) await this.#goOnWithoutFollower()
    await this.#eventually(
      'every disk holds everything committed',
      () => Promise.resolve(this.#incomplete().length === 0),
      () => this.#incomplete().join(', '),
    )
    const partitions = await this.#readAll()
    let committed: ReadonlyMap<number, number> = new Map()
    await this.#eventually(
      'the group has read and committed everything',
      async () => {
        committed = await this.#committedOffsets()
        return partitions.every((records, partition) => (committed.get(partition) ?? 0) > (records.at(-1)?.offset ?? -1))
      },
      () => [...consumers.values()].map((consuming) => consuming.describe()).join(' | '),
    )
    partitions.forEach((records, partition) => {
      const sent = producers.flatMap((producing) => producing.sent.filter((record) => record.partition === partition))
      judgeProduced(partition, records, sent, violations)
      ledger.finish(
        partition,
        committed.get(partition) ?? null,
        records.map(({ offset }) => offset),
      )
    })
  }

  async #eventually(what: string, isTrue: () => Promise<boolean>, detail: () => string = () => ''): Promise<void> {
    const { machines, violations } = this.#options
    const { loop } = machines.world
    const deadlineMs = loop.monotonicMs() + RECOVERY_MS
    while (!(await isTrue())) {
      if (loop.monotonicMs() > deadlineMs) {
        violations.report('progress resumes after healing', `not within ${RECOVERY_MS} ms: ${what}. ${detail()}`)
        return new Promise(() => undefined)
      }
      await machines.sleep(LOOK_EVERY_MS)
    }
  }

  /** The follower stays a live broker; only its leader can know that it lags. */
  async #goOnWithoutFollower(): Promise<void> {
    const { machines, producers, violations } = this.#options
    const { topics } = await this.#client.metadata({ topics: [TOPIC], refresh: true, timeoutMs: RECOVERY_MS })
    const partition = topics.get(TOPIC)?.partitions[0]
    const leader = machines.byNode(partition?.leader ?? -1)
    const follower = machines.byNode(partition?.replicas.find((id) => id !== partition.leader) ?? -1)
    if (leader === undefined || follower === undefined) return
    const { network } = machines.world
    network.cut(follower.name, leader.name)
    const written = producers[0]?.probe(0) ?? Promise.resolve(true)
    const isWritten = await Promise.race([written, machines.sleep(LAG_PATIENCE_MS).then(() => false)])
    if (!isWritten)
      violations.report(
        'writing goes on without a lagging follower',
        `${follower.name} cannot fetch from ${leader.name}; after ${LAG_PATIENCE_MS} ms nothing can be written`,
      )
    network.heal(follower.name, leader.name)
    await this.#eventually('every replica is in sync again', () => this.#isReplicated())
  }

  async #isReplicated(): Promise<boolean> {
    try {
      const { topics } = await this.#client.metadata({ topics: [TOPIC, '__consumer_offsets'], refresh: true, timeoutMs: 4_000 })
      const partitions = [...topics.values()].flatMap((topic) => topic.partitions)
      return partitions.length > PARTITIONS && partitions.every(({ isr, replicas }) => isr.length === replicas.length)
    } catch {
      return false
    }
  }

  async #readAll(): Promise<ReadRecord[][]> {
    const partitions: ReadRecord[][] = Array.from({ length: PARTITIONS }, () => [])
    const reader = this.#client.reader({
      partitions: partitions.map((_, partition) => ({ topic: TOPIC, partition, from: 'earliest', upTo: 'end' })),
    })
    for (;;) {
      const chunks = await reader.read({ timeoutMs: RECOVERY_MS })
      if (chunks === null) return partitions
      for (const chunk of chunks) {
        for (const { offset, value } of chunk) partitions[chunk.partition]?.push({ offset, value: String(value) })
      }
    }
  }

  /** As the group's coordinator tells; nothing while it cannot be asked. */
  async #committedOffsets(): Promise<ReadonlyMap<number, number>> {
    try {
      const [group] = await this.#client.admin.fetchOffsets([{ groupId: GROUP }], { timeoutMs: 4_000 })
      return new Map((group?.offsets ?? []).map(({ partition, offset }) => [partition, offset ?? 0]))
    } catch {
      return new Map()
    }
  }

  /** The logs, on all disks, that do not hold everything that was committed, the same everywhere. Metadata alone is never lost. */
  #incomplete(): string[] {
    const { machines, content, violations } = this.#options
    const names = [...content.logs()].filter((name) => !violations.isBeyondBound || isMetadata(name))
    return machines.all.flatMap((machine) =>
      names
        .map((name) => `/${machine.name}/${name}`)
        .filter((directory) => machine.env.diskControl.names.isDirectory(directory) && !content.isComplete(watched(machine, directory))),
    )
  }
}
