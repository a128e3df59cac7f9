/**
 * A setting as DescribeConfigs shows it: the value in force, where it comes from, and everything it overrides. Pure.
 */
import { ConfigResourceType, type MetadataImage } from '../cluster/image.ts'
import { type ConfigType, configTypeCodes, type TopicSetting } from '../log/topic-config.ts'
import type { BrokerSetting } from './broker-settings.ts'

/** Kafka's ConfigSource codes. */
export const ConfigSource = {
  TOPIC: 1,
  DYNAMIC_BROKER: 2,
  DYNAMIC_DEFAULT_BROKER: 3,
  STATIC_BROKER: 4,
  DEFAULT: 5,
} as const
export type ConfigSource = (typeof ConfigSource)[keyof typeof ConfigSource]

interface Synonym {
  readonly name: string
  readonly value: string | null
  readonly source: ConfigSource
}

export interface DescribedSetting {
  readonly name: string
  readonly value: string | null
  readonly readOnly: boolean
  readonly configSource: ConfigSource
  readonly isSensitive: boolean
  /** The value in force first, then what it overrides, the default last. */
  readonly synonyms: readonly Synonym[]
  readonly configType: number
  readonly documentation: string | null
}

/** What the broker that answers was started with, and who it is. */
export interface BrokerView {
  readonly image: MetadataImage
  readonly nodeId: number
  readonly overrides: Readonly<Record<string, string>>
}

export function describeTopicSetting(view: BrokerView, topic: string, setting: TopicSetting): DescribedSetting {
  const own = view.image.configOf(ConfigResourceType.TOPIC, topic).get(setting.name)
  const { brokerSynonym } = setting
  return described(setting, false, [
    ...found(setting.name, own, ConfigSource.TOPIC),
    ...(brokerSynonym === null ? [] : brokerLayers(view, brokerSynonym)),
    { name: brokerSynonym ?? setting.name, value: setting.defaultValue, source: ConfigSource.DEFAULT },
  ])
}

/** `isDynamic`: may be changed while the broker runs. */
export function describeBrokerSetting(view: BrokerView, setting: BrokerSetting, isDynamic: boolean): DescribedSetting {
  return described(setting, !isDynamic, [
    ...brokerLayers(view, setting.name),
    { name: setting.name, value: setting.defaultValue, source: ConfigSource.DEFAULT },
  ])
}

/** A fact about the broker that looks like a setting: its id, its folder. */
export function describeFact(name: string, value: string, type: ConfigType, documentation: string): DescribedSetting {
  return described({ name, type, documentation }, true, [{ name, value, source: ConfigSource.STATIC_BROKER }])
}

/** What is set for all brokers at run time, and nothing else: the resource with the empty name. */
export function describeClusterDefault(view: BrokerView, setting: BrokerSetting): DescribedSetting | null {
  const value = view.image.configOf(ConfigResourceType.BROKER, '').get(setting.name)
  if (value === undefined) return null
  return described(setting, false, [{ name: setting.name, value, source: ConfigSource.DYNAMIC_DEFAULT_BROKER }])
}

function brokerLayers({ image, nodeId, overrides }: BrokerView, name: string): Synonym[] {
  return [
    ...found(name, image.configOf(ConfigResourceType.BROKER, String(nodeId)).get(name), ConfigSource.DYNAMIC_BROKER),
    ...found(name, image.configOf(ConfigResourceType.BROKER, '').get(name), ConfigSource.DYNAMIC_DEFAULT_BROKER),
    ...found(name, overrides[name], ConfigSource.STATIC_BROKER),
  ]
}

function found(name: string, value: string | undefined, source: ConfigSource): Synonym[] {
  return value === undefined ? [] : [{ name, value, source }]
}

function described(
  { name, type, documentation }: { readonly name: string; readonly type: ConfigType; readonly documentation: string },
  readOnly: boolean,
  synonyms: readonly Synonym[],
): DescribedSetting {
  const { value, source } = synonyms[0]!
  return { name, value, readOnly, configSource: source, isSensitive: false, synonyms, configType: configTypeCodes[type], documentation }
}
