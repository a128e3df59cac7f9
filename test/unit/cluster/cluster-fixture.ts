/** A cluster driven by decisions alone: each is applied at once, as if committed. */
import { applyRecords } from '../../../broker/cluster/apply-records.ts'
import { fence, heartbeat, registerBroker } from '../../../broker/cluster/broker-control.ts'
import type { Decision, DecisionInput } from '../../../broker/cluster/decision.ts'
import { supportedFeatures } from '../../../broker/cluster/features.ts'
import { MetadataImage } from '../../../broker/cluster/image.ts'
import {
  decodeMetadataRecord,
  encodeMetadataRecord,
  featureLevelRecord,
  type MetadataRecord,
} from '../../../broker/cluster/metadata-records.ts'
import { createTopics, type CreateTopicAnswer, type NewTopic } from '../../../broker/cluster/topic-control.ts'

export const CLUSTER_ID = 'K9zq8zKfQKm1yVb3b5J1tw'

export class TestCluster {
  image = MetadataImage.empty(CLUSTER_ID)
  readonly log: MetadataRecord[] = []
  #ids = 0

  /** With features finalized, if any are given, as a formatted cluster starts. */
  constructor(features: ReadonlyMap<string, number> = new Map()) {
    const records = [...features].map(([name, level]) => featureLevelRecord(name, level))
    this.decide({ records, answer: null })
  }

  get input(): DecisionInput {
    return { image: this.image, nextOffset: this.log.length }
  }

  /** Takes the decision as it would come back from the log. */
  decide<Answer>(decision: Decision<Answer>): Answer {
    const records = decision.records.map((record) => decodeMetadataRecord(encodeMetadataRecord(record)))
    this.log.push(...records)
    if (records.length > 0) this.image = applyRecords(this.image, records, { offset: this.log.length - 1, epoch: 1 }).image
    return decision.answer
  }

  /** A 22-character id that differs every time. */
  newId(): string {
    return Buffer.from(String(++this.#ids).padStart(16, 'x')).toString('base64url')
  }

  register(
    brokerId: number,
    options: {
      readonly rack?: string
      readonly previousBrokerEpoch?: number
      readonly directory?: string
      readonly hasSession?: boolean
    } = {},
  ) {
    const features = [...supportedFeatures].map(([name, { min, max }]) => ({ name, minSupportedVersion: min, maxSupportedVersion: max }))
    const request = {
      brokerId,
      clusterId: CLUSTER_ID,
      incarnationId: this.newId(),
      listeners: [{ name: 'CLIENT', host: '127.0.0.1', port: 9091 + brokerId, securityProtocol: 0 }],
      features,
      rack: options.rack ?? null,
      logDirs: [options.directory ?? Buffer.from(`directory ${brokerId}`.padEnd(16)).toString('base64url')],
      previousBrokerEpoch: options.previousBrokerEpoch ?? -1,
    }
    return this.decide(registerBroker(this.input, request, options.hasSession ?? false))
  }

  /** Registers and unfences. */
  start(...brokerIds: readonly number[]): this {
    for (const id of brokerIds) {
      this.register(id)
      this.beat(id)
    }
    return this
  }

  beat(
    brokerId: number,
    options: {
      readonly wantShutDown?: boolean
      readonly wantFence?: boolean
      readonly offlineLogDirs?: readonly string[]
      readonly metadataOffset?: number
      readonly startedAtOffset?: number | null
      readonly lowestActiveOffset?: number
    } = {},
  ) {
    const request = {
      brokerId,
      brokerEpoch: this.image.broker(brokerId)?.brokerEpoch ?? -1,
      currentMetadataOffset: options.metadataOffset ?? this.image.offset,
      wantFence: options.wantFence ?? false,
      wantShutDown: options.wantShutDown ?? false,
      offlineLogDirs: options.offlineLogDirs ?? [],
    }
    const shutdown = {
      startedAtOffset: options.startedAtOffset ?? null,
      lowestActiveOffset: options.lowestActiveOffset ?? Number.MAX_SAFE_INTEGER,
    }
    return this.decide(heartbeat(this.input, request, shutdown))
  }

  fence(brokerId: number): void {
    this.decide({ records: fence(this.image, this.image.broker(brokerId)!), answer: null })
  }

  create(topic: Partial<NewTopic> & { readonly name: string }): CreateTopicAnswer {
    const whole = { partitionCount: 1, replicationFactor: 1, assignments: new Map(), configs: [], ...topic }
    const options = { defaults: { partitionCount: 2, replicationFactor: 3 }, newTopicId: () => this.newId(), configProblem: () => null }
    return this.decide(createTopics(this.input, [whole], options))[0]!
  }
}
