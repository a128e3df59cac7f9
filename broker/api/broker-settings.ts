/**
 * Every broker-wide setting, under Kafka's name: those below, and the defaults of topic settings under their broker
 * synonyms. The one list behind the start-up check of overrides and DescribeConfigs of a broker. Pure.
 */
import { type ConfigValue, describeAllowed, parseConfigValue, type ValueRule } from '../log/config-value.ts'
import { topicSettings } from '../log/topic-config.ts'

export interface BrokerSetting extends ValueRule {
  readonly name: string
  /** As text, the way DescribeConfigs shows it. */
  readonly defaultValue: string
  readonly documentation: string
}

const ownSettings = {
  autoCreateTopics: {
    name: 'auto.create.topics.enable',
    type: 'boolean',
    defaultValue: 'true',
    documentation: 'Whether a topic is created when a client asks for metadata of one that does not exist.',
  },
  defaultPartitions: {
    name: 'num.partitions',
    type: 'int',
    minimum: 1,
    maximum: 10_000,
    defaultValue: '1',
    documentation: 'Partitions of a topic created without a number.',
  },
  defaultReplicationFactor: {
    name: 'default.replication.factor',
    type: 'int',
    minimum: 1,
    maximum: 32_767,
    defaultValue: '1',
    documentation: 'Replicas of each partition of a topic created without a number.',
  },
  fetchBytesMax: {
    name: 'fetch.max.bytes',
    type: 'int',
    minimum: 1024,
    defaultValue: '57671680',
    documentation: 'The most bytes one fetch is answered with, whatever the client allows.',
  },
  fetchSessionSlots: {
    name: 'max.incremental.fetch.session.cache.slots',
    type: 'int',
    minimum: 0,
    maximum: 100_000,
    defaultValue: '1000',
    documentation: 'Incremental fetch sessions kept at a time; fetchers beyond it send full requests.',
  },
  groupInitialRebalanceDelayMs: {
    name: 'group.initial.rebalance.delay.ms',
    type: 'int',
    minimum: 0,
    defaultValue: '3000',
    documentation: 'How long an empty group waits for more members before its first assignment.',
  },
  groupSizeMax: {
    name: 'group.max.size',
    type: 'int',
    minimum: 1,
    defaultValue: '2147483647',
    documentation: 'The most members of one consumer group.',
  },
  groupSessionTimeoutMinMs: {
    name: 'group.min.session.timeout.ms',
    type: 'int',
    minimum: 1,
    defaultValue: '6000',
    documentation: 'The shortest session timeout a member may ask for.',
  },
  groupSessionTimeoutMaxMs: {
    name: 'group.max.session.timeout.ms',
    type: 'int',
    minimum: 1,
    defaultValue: '1800000',
    documentation: 'The longest session timeout a member may ask for.',
  },
  offsetMetadataBytesMax: {
    name: 'offset.metadata.max.bytes',
    type: 'int',
    minimum: 0,
    defaultValue: '4096',
    documentation: 'The longest text a consumer may store with an offset.',
  },
  offsetsRetentionMinutes: {
    name: 'offsets.retention.minutes',
    type: 'int',
    minimum: 1,
    defaultValue: '10080',
    documentation: 'How long the offsets of a group without members are kept.',
  },
  offsetsTopicPartitions: {
    name: 'offsets.topic.num.partitions',
    type: 'int',
    minimum: 1,
    maximum: 10_000,
    defaultValue: '50',
    documentation: 'Partitions of __consumer_offsets when it is created.',
  },
  offsetsTopicReplicationFactor: {
    name: 'offsets.topic.replication.factor',
    type: 'int',
    minimum: 1,
    maximum: 32_767,
    defaultValue: '1',
    documentation: 'Replicas of __consumer_offsets when it is created.',
  },
  frameBytesMax: {
    name: 'socket.request.max.bytes',
    type: 'int',
    minimum: 1024,
    defaultValue: '104857600',
    documentation: 'The largest request; a larger one closes the connection.',
  },
  connectionsMax: {
    name: 'max.connections',
    type: 'int',
    minimum: 1,
    maximum: 100_000,
    defaultValue: '4096',
    documentation: 'Connections of one listener at a time.',
  },
  idleMs: {
    name: 'connections.max.idle.ms',
    type: 'long',
    minimum: 1000,
    defaultValue: '600000',
    documentation: 'A connection on which nothing moved for this long is closed.',
  },
  heartbeatIntervalMs: {
    name: 'broker.heartbeat.interval.ms',
    type: 'int',
    minimum: 10,
    defaultValue: '2000',
    documentation: 'How often a broker tells the controller that it is alive.',
  },
  autoLeaderRebalance: {
    name: 'auto.leader.rebalance.enable',
    type: 'boolean',
    defaultValue: 'true',
    documentation: 'Whether leadership is given back to preferred leaders from time to time.',
  },
  leaderImbalanceCheckSeconds: {
    name: 'leader.imbalance.check.interval.seconds',
    type: 'long',
    minimum: 1,
    defaultValue: '300',
    documentation: 'How often the controller looks whether leadership has drifted away from preferred leaders.',
  },
  leaderImbalancePercentage: {
    name: 'leader.imbalance.per.broker.percentage',
    type: 'int',
    minimum: 0,
    defaultValue: '10',
    documentation: 'How much of what a broker is the preferred leader of others may lead before it is given back.',
  },
  logInitialTaskDelayMs: {
    name: 'log.initial.task.delay.ms',
    type: 'long',
    minimum: 0,
    defaultValue: '30000',
    documentation: 'How long after the start a broker first looks for segments that retention no longer keeps.',
  },
  logRetentionCheckIntervalMs: {
    name: 'log.retention.check.interval.ms',
    type: 'long',
    minimum: 1,
    defaultValue: '300000',
    documentation: 'How often a broker looks for segments that retention no longer keeps.',
  },
  followerThrottleRate: {
    name: 'follower.replication.throttled.rate',
    type: 'long',
    minimum: 1,
    defaultValue: '9223372036854775807',
    documentation: 'Bytes a second that throttled replicas on this broker are copied at, together, while they are not in sync.',
  },
  leaderThrottleRate: {
    name: 'leader.replication.throttled.rate',
    type: 'long',
    minimum: 1,
    defaultValue: '9223372036854775807',
    documentation: 'Bytes a second that this broker sends of throttled replicas it leads, together, to followers that are not in sync.',
  },
  metadataSnapshotAfterBytes: {
    name: 'metadata.log.max.record.bytes.between.snapshots',
    type: 'long',
    minimum: 1,
    defaultValue: '20971520',
    documentation: 'A snapshot of the cluster metadata is made each time this many bytes of its log were applied since the last.',
  },
  sessionTimeoutMs: {
    name: 'broker.session.timeout.ms',
    type: 'int',
    minimum: 100,
    defaultValue: '9000',
    documentation: 'A broker silent for this long is fenced.',
  },
  replicaLagTimeMaxMs: {
    name: 'replica.lag.time.max.ms',
    type: 'long',
    minimum: 100,
    defaultValue: '30000',
    documentation: 'A follower that has not had everything its leader has for this long is no longer in sync.',
  },
} as const satisfies Readonly<Record<string, BrokerSetting>>

export type BrokerSettingKey = keyof typeof ownSettings

const inheritedSettings: readonly BrokerSetting[] = topicSettings.flatMap((setting) => {
  const { brokerSynonym, ...rule } = setting
  return brokerSynonym === null ? [] : [{ ...rule, name: brokerSynonym }]
})

export const brokerSettings: readonly BrokerSetting[] = [...Object.values(ownSettings), ...inheritedSettings].toSorted((one, other) =>
  one.name < other.name ? -1 : 1,
)

const settingsByName: ReadonlyMap<string, BrokerSetting> = new Map(brokerSettings.map((setting) => [setting.name, setting]))

export function brokerSetting(name: string): BrokerSetting | null {
  return settingsByName.get(name) ?? null
}

/** Values for every own setting, from texts under Kafka's names; a text that does not parse leaves the default. */
export function brokerSettingValues(texts: Readonly<Record<string, string>>): {
  readonly [Key in BrokerSettingKey]: Value<(typeof ownSettings)[Key]>
} {
  const entries = Object.entries(ownSettings).map(([key, setting]) => [key, valueOf(setting, texts[setting.name])])
  return Object.fromEntries(entries)
}

type Value<Setting extends BrokerSetting> = Setting['type'] extends 'boolean' ? boolean : number

function valueOf(setting: BrokerSetting, text: string | undefined): ConfigValue {
  const parsed = parseConfigValue(setting, text ?? setting.defaultValue)
  const fallback = 'value' in parsed ? parsed : parseConfigValue(setting, setting.defaultValue)
  if ('value' in fallback) return fallback.value
  throw new Error(`the default of ${setting.name} is not ${describeAllowed(setting)}`)
}

/** A sentence naming the setting, the value and what is allowed; null when there is nothing wrong. */
export function brokerSettingProblem(name: string, text: string): string | null {
  const setting = brokerSetting(name)
  if (setting === null)
    return `Unknown setting ${JSON.stringify(name.slice(0, 200))}. Known: ${brokerSettings.map((known) => known.name).join(', ')}.`
  const parsed = parseConfigValue(setting, text)
  return 'value' in parsed ? null : `Invalid value ${JSON.stringify(text.slice(0, 200))} for ${name}: must be ${parsed.problem}.`
}

/** The defaults of topic settings that `texts` gives under their broker synonyms, by the topic settings' names. */
export function topicDefaults(texts: Readonly<Record<string, string>>): ReadonlyMap<string, string> {
  const defaults = new Map<string, string>()
  for (const { name, brokerSynonym } of topicSettings) {
    const text = brokerSynonym === null ? undefined : texts[brokerSynonym]
    if (text !== undefined) defaults.set(name, text)
  }
  return defaults
}
