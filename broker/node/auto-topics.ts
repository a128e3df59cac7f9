/**
 * Creates topics that clients name before they exist, and `__consumer_offsets` before its first use: asks the
 * controller, and meanwhile whoever asked is told to retry.
 *
 * One request per topic is under way at a time, and at most `CREATIONS_MAX` in all; a client beyond that is told to
 * retry as well. A refusal is logged once and remembered for as long as asking again would be pointless hammering.
 */
import { createTopics } from '../api/19-create-topics.schema.ts'
import type { AutoTopicCreation, BrokerSettings, ControllerLink } from '../api/context.ts'
import { isInternalTopic, OFFSETS_TOPIC } from '../api/topics.ts'
import type { MetadataImage } from '../cluster/image.ts'
import type { Env } from '../env/types.ts'
import type { Principal } from '../security/principal.ts'
import { ErrorCode, errorName } from '../wire/errors.ts'

const CREATIONS_MAX = 64
const CREATE_TIMEOUT_MS = 30_000
const RETRY_AFTER_MS = 1_000
const CREATE_TOPICS_VERSION = 7
const OFFSETS_SEGMENT_BYTES = 100 * 1024 * 1024

export interface AutoTopicsOptions {
  readonly env: Env
  readonly controller: ControllerLink
  readonly settings: BrokerSettings
  readonly image: () => MetadataImage
}

export class AutoTopics implements AutoTopicCreation {
  readonly #options: AutoTopicsOptions
  readonly #underWay = new Set<string>()

  constructor(options: AutoTopicsOptions) {
    this.#options = options
  }

  request(topic: string, principal: Principal, clientId: string): ErrorCode {
    // A broker that is down has its replica all the same; one that has not come up for the first time is waited for.
    if (this.#options.image().brokers.size < this.#replicationFactor(topic)) return ErrorCode.INVALID_REPLICATION_FACTOR
    if (!this.#underWay.has(topic) && this.#underWay.size < CREATIONS_MAX) {
      this.#underWay.add(topic)
      void this.#create(topic, principal, clientId)
    }
    return isInternalTopic(topic) ? ErrorCode.LEADER_NOT_AVAILABLE : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
  }

  async #create(topic: string, principal: Principal, clientId: string): Promise<void> {
    const { env, controller } = this.#options
    const refusal = await controller
      .send(
        createTopics,
        CREATE_TOPICS_VERSION,
        { topics: [this.#definition(topic)], timeoutMs: CREATE_TIMEOUT_MS, validateOnly: false },
        { principal, clientId, timeoutMs: CREATE_TIMEOUT_MS },
      )
      .then(({ topics }) => refusalOf(topics[0]))
      .catch((error: unknown) => String(error))
    if (refusal === null) env.log.write('info', 'created a topic that was asked for', { topic, clientId })
    else env.log.write('warn', 'a topic that was asked for is not created', { topic, clientId, reason: refusal })
    if (refusal === null) this.#underWay.delete(topic)
    else env.timers.after(RETRY_AFTER_MS, () => this.#underWay.delete(topic))
  }

  #definition(name: string) {
    const { settings } = this.#options
    const isOffsets = name === OFFSETS_TOPIC
    const configs = isOffsets
      ? [
          { name: 'cleanup.policy', value: 'compact' },
          { name: 'compression.type', value: 'producer' },
          { name: 'segment.bytes', value: String(OFFSETS_SEGMENT_BYTES) },
        ]
      : []
    const numPartitions = isOffsets ? settings.offsetsTopicPartitions : settings.defaultPartitions
    return { name, numPartitions, replicationFactor: this.#replicationFactor(name), assignments: [], configs }
  }

  #replicationFactor(topic: string): number {
    const { settings } = this.#options
    return topic === OFFSETS_TOPIC ? settings.offsetsTopicReplicationFactor : settings.defaultReplicationFactor
  }
}

function refusalOf(result: { readonly errorCode: number; readonly errorMessage: string | null } | undefined): string | null {
  if (result === undefined) return 'the controller did not answer for it'
  if (result.errorCode === ErrorCode.NONE || result.errorCode === ErrorCode.TOPIC_ALREADY_EXISTS) return null
  return result.errorMessage ?? errorName(result.errorCode)
}
