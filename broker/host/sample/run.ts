/**
 * One run of the sample workload on one cluster.
 *
 *   starting -> backfilling -> running -> stopping -> stopped
 *   starting, backfilling, running -> failed: the topic could not be made, or the past not written
 *
 * The topic and the groups' offsets outlive the run; a run on a topic with records writes no past again.
 */
import type { KafkaClient } from '../../client/types.ts'
import {
  sampleGroups,
  sampleTopic,
  type SampleGroup,
  type SampleSpeed,
  type SampleState,
  type TruckPositions,
} from '../../contract/sample.ts'
import type { Env } from '../../env/types.ts'
import { toProblem } from '../problem.ts'
import { createChanges, type Changes } from '../rpc/changes.ts'
import { pause } from '../rpc/waiting.ts'
import { fleetBounds, truckCount } from './fleet.ts'
import { createPacedConsumer, type PacedConsumer } from './paced-consumer.ts'
import { ReadPositions } from './positions.ts'
import { backfill, backfillCount, produceLive, type ProducerCounts } from './truck-producer.ts'
import { WorkloadClock } from './workload-clock.ts'

const producerClientId = 'trucks'
const partitionCount = 10
const topicConfigs = { 'retention.bytes': String(16 * 1024 * 1024), 'segment.bytes': String(4 * 1024 * 1024) }
const setupDeadlineMs = 15_000
const rateIntervalMs = 1_000

export class SampleRun {
  readonly changes: Changes = createChanges()
  private readonly env: Env
  /** One per part, each under its own name: in the list of clients they show as the services they stand for. */
  private readonly producerClient: KafkaClient
  private readonly consumerClients: readonly KafkaClient[]
  private readonly ending = new AbortController()
  private readonly clock: WorkloadClock
  private readonly positions = new ReadPositions()
  private readonly consumers: readonly PacedConsumer[]
  private readonly counts: ProducerCounts = { producedCount: 0, failedCount: 0, lastFailure: null }
  private readonly rates = new Map<string, number>()
  private status: SampleState['status'] = 'starting'
  private backfilled: number | null = null
  private problem: SampleState['problem'] = null
  private readonly finished: Promise<void>

  constructor(env: Env, clientNamed: (clientId: string) => KafkaClient, speed: SampleSpeed) {
    this.env = env
    this.producerClient = clientNamed(producerClientId)
    this.consumerClients = sampleGroups.map(clientNamed)
    this.clock = new WorkloadClock(env.clock, speed)
    this.consumers = this.consumerClients.map((client, index) => {
      const groupId = sampleGroups[index] ?? 'location-dashboard'
      return createPacedConsumer({
        env,
        client,
        groupId,
        onRecord: groupId === 'location-dashboard' ? (key, value) => this.positions.take(key, value) : undefined,
      })
    })
    this.finished = this.run()
  }

  get isOver(): boolean {
    return this.status === 'stopped' || this.status === 'failed'
  }

  state(): SampleState {
    return {
      status: this.status,
      speed: this.clock.speed as SampleSpeed,
      truckCount,
      producedCount: this.counts.producedCount,
      producedPerSecond: this.rateOf('produced'),
      backfill: this.backfilled === null ? null : { writtenCount: this.backfilled, totalCount: backfillCount },
      consumers: this.consumers.map((consumer) => ({
        groupId: consumer.groupId,
        recordsPerSecondMax: consumer.recordsPerSecondMax,
        consumedCount: consumer.consumedCount,
        consumedPerSecond: this.rateOf(consumer.groupId),
        lag: null,
        problem: consumer.problem,
      })),
      problem: this.problem ?? this.producerProblem(),
    }
  }

  truckPositions(): TruckPositions {
    return { asOfMs: this.env.clock.nowMs(), bounds: fleetBounds, trucks: this.positions.at(this.clock.nowMs()) }
  }

  setSpeed(speed: SampleSpeed): void {
    this.clock.setSpeed(speed)
    this.changes.emit()
  }

  setPace(groupId: SampleGroup, recordsPerSecondMax: number | null): void {
    for (const consumer of this.consumers) if (consumer.groupId === groupId) consumer.recordsPerSecondMax = recordsPerSecondMax
    this.changes.emit()
  }

  /** Resolves when everything has stopped and the consumers have left their groups. */
  async stop(): Promise<void> {
    if (!this.isOver) this.enter('stopping')
    this.ending.abort()
    await this.finished
  }

  private async run(): Promise<void> {
    const { signal } = this.ending
    const producer = this.producerClient.producer({ lingerMs: 5, compression: 'lz4' })
    try {
      const isEmpty = await this.prepareTopic(signal)
      const consuming = this.consumers.map((consumer) => consumer.run(signal))
      const measuring = this.measure(signal)
      try {
        if (isEmpty) await this.writePast(producer, signal)
        if (!signal.aborted) this.enter('running')
        await produceLive(producer, { env: this.env, clock: this.clock, signal, counts: this.counts })
      } finally {
        if (!signal.aborted) this.ending.abort()
        await Promise.all([...consuming, measuring])
      }
    } catch (error) {
      if (this.status !== 'stopping') {
        this.problem = toProblem(error, sampleTopic)
        this.env.log.write('warn', 'the sample workload failed', { error })
        this.status = 'failed'
      }
    } finally {
      await producer
        .close({ timeoutMs: 2_000 })
        .catch((error: unknown) => this.env.log.write('warn', 'the sample producer did not close', { error }))
      await Promise.all([this.producerClient, ...this.consumerClients].map((client) => client.close()))
      this.enter(this.status === 'failed' ? 'failed' : 'stopped')
    }
  }

  /** Makes the topic when it is not there; answers whether it holds no records. */
  private async prepareTopic(signal: AbortSignal): Promise<boolean> {
    const options = { timeoutMs: setupDeadlineMs, signal }
    const [created] = await this.producerClient.admin.createTopics([{ name: sampleTopic, partitionCount, configs: topicConfigs }], options)
    if (created?.error && created.error.kafkaErrorName !== 'TOPIC_ALREADY_EXISTS') throw created.error
    if (created?.error === null) return true
    const metadata = await this.producerClient.metadata({ topics: [sampleTopic], refresh: true, ...options })
    const partitions = metadata.topics.get(sampleTopic)?.partitions ?? []
    const ends = await this.producerClient.admin.listOffsets(
      partitions.map(({ partition }) => ({ topic: sampleTopic, partition, spec: 'latest' as const })),
      options,
    )
    return ends.every(({ offset }) => offset === 0)
  }

  private async writePast(producer: ReturnType<KafkaClient['producer']>, signal: AbortSignal): Promise<void> {
    this.backfilled = 0
    this.enter('backfilling')
    await backfill(producer, {
      env: this.env,
      signal,
      onWritten: (count) => {
        this.backfilled = (this.backfilled ?? 0) + count
        this.counts.producedCount += count
        this.changes.emit()
      },
    })
    this.backfilled = null
  }

  /** Rates over the last second, and an event for watchers each time. */
  private async measure(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const startMs = this.env.clock.monotonicMs()
      const before = this.totals()
      await pause(this.env, rateIntervalMs, signal)
      const seconds = Math.max(0.001, (this.env.clock.monotonicMs() - startMs) / 1_000)
      for (const [name, count] of this.totals()) {
        this.rates.set(name, Math.round(((count - (before.get(name) ?? 0)) / seconds) * 10) / 10)
      }
      this.changes.emit()
    }
  }

  private totals(): Map<string, number> {
    return new Map([['produced', this.counts.producedCount], ...this.consumers.map((c): [string, number] => [c.groupId, c.consumedCount])])
  }

  private rateOf(name: string): number {
    return this.status === 'running' || this.status === 'backfilling' ? (this.rates.get(name) ?? 0) : 0
  }

  private producerProblem(): SampleState['problem'] {
    if (this.counts.lastFailure === null) return null
    const message = `${this.counts.failedCount} reports could not be written: ${this.counts.lastFailure}`
    return { code: 'BROKER_ERROR', message, subject: sampleTopic, advice: 'Look at Brokers: a leader may be down.', cause: null }
  }

  private enter(status: SampleState['status']): void {
    this.status = status
    this.changes.emit()
  }
}
