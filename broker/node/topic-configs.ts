/**
 * The settings a topic's log works with: the topic's own over this broker's dynamic ones over the cluster-wide dynamic
 * ones over what the node was started with over Kafka's defaults.
 */
import { topicDefaults } from '../api/broker-settings.ts'
import { ConfigResourceType, type MetadataImage } from '../cluster/image.ts'
import type { Logger } from '../env/types.ts'
import { type LogConfig, parseTopicConfig } from '../log/topic-config.ts'

export class TopicConfigs {
  readonly #nodeId: number
  readonly #overrides: Readonly<Record<string, string>>
  readonly #log: Logger

  constructor(options: { readonly nodeId: number; readonly overrides: Readonly<Record<string, string>>; readonly log: Logger }) {
    this.#nodeId = options.nodeId
    this.#overrides = options.overrides
    this.#log = options.log
  }

  /** An entry the controller let through and this broker cannot use is said in the log and leaves the default. */
  of(image: MetadataImage, topic: string): LogConfig {
    const { config, problems } = parseTopicConfig(image.configOf(ConfigResourceType.TOPIC, topic), this.#defaults(image))
    for (const { problem } of problems) this.#log.write('warn', 'a topic setting is not used', { topic, problem })
    return config
  }

  #defaults(image: MetadataImage): ReadonlyMap<string, string> {
    const clusterWide = image.configOf(ConfigResourceType.BROKER, '')
    const own = image.configOf(ConfigResourceType.BROKER, String(this.#nodeId))
    return topicDefaults({ ...this.#overrides, ...Object.fromEntries(clusterWide), ...Object.fromEntries(own) })
  }
}
