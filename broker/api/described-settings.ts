/**
 * Settings as DescribeConfigs and CreateTopics show them: the value in force, where it comes from, and every place that has
 * a value for it, strongest first.
 */
import { ConfigResourceType, type MetadataImage } from '../cluster/image.ts'
import { configTypeCodes, topicSettings, type ConfigType } from '../log/topic-config.ts'
import { brokerSettings } from './broker-settings.ts'
import { isDynamicBrokerSetting } from './config-rules.ts'

/** DescribeConfigs v1+ `configSource`. */
export const ConfigSource = { TOPIC: 1, DYNAMIC_BROKER: 2, DYNAMIC_DEFAULT_BROKER: 3, STATIC_BROKER: 4, DEFAULT: 5 } as const
type ConfigSource = (typeof ConfigSource)[keyof typeof ConfigSource]

export interface DescribedSetting {
  readonly name: string
  readonly value: string
  readonly readOnly: boolean
  readonly configSource: ConfigSource
  readonly isSensitive: boolean
  readonly synonyms: readonly { readonly name: string; readonly value: string; readonly source: ConfigSource }[]
  readonly configType: number
  readonly documentation: string
}

export interface Places {
  readonly image: MetadataImage
  /** Whose own dynamic settings apply; null at the controller. */
  readonly brokerId: number | null
  /** What the node was started with. */
  readonly overrides: Readonly<Record<string, string>>
}

type Source = DescribedSetting['synonyms'][number]

/** `own` are the settings of the topic itself. */
export function describeTopicSettings({ own, ...places }: Places & { readonly own: ReadonlyMap<string, string> }): DescribedSetting[] {
  return topicSettings.map(({ name, type, documentation, defaultValue, brokerSynonym }) => {
    const value = own.get(name)
    const sources = [
      ...(value === undefined ? [] : [{ name, value, source: ConfigSource.TOPIC }]),
      ...(brokerSynonym === null ? [] : brokerSources(brokerSynonym, places)),
      { name: brokerSynonym ?? name, value: defaultValue, source: ConfigSource.DEFAULT },
    ]
    return described({ name, type, documentation, readOnly: false }, sources)
  })
}

export function describeBrokerSettings(places: Places): DescribedSetting[] {
  const configured = brokerSettings.map(({ name, type, documentation, defaultValue }) => {
    const sources = [...brokerSources(name, places), { name, value: defaultValue, source: ConfigSource.DEFAULT }]
    return described({ name, type, documentation, readOnly: !isDynamicBrokerSetting(name) }, sources)
  })
  return [...configured, ...fixedFacts(places)].sort((one, other) => (one.name < other.name ? -1 : 1))
}

/** What is set for all brokers at run time, and nothing else. */
export function describeDefaultBrokerSettings(image: MetadataImage): DescribedSetting[] {
  const set = image.configOf(ConfigResourceType.BROKER, '')
  return brokerSettings.flatMap(({ name, type, documentation }) => {
    const value = set.get(name)
    return value === undefined
      ? []
      : [described({ name, type, documentation, readOnly: false }, [{ name, value, source: ConfigSource.DYNAMIC_DEFAULT_BROKER }])]
  })
}

/** What tools look for under Kafka's names and nobody can change here. */
function fixedFacts({ brokerId }: Places): DescribedSetting[] {
  const facts: readonly { readonly name: string; readonly value: string; readonly type: ConfigType; readonly documentation: string }[] = [
    { name: 'broker.id', value: String(brokerId ?? -1), type: 'int', documentation: 'The id of this broker.' },
    { name: 'node.id', value: String(brokerId ?? -1), type: 'int', documentation: 'The id of this node.' },
    { name: 'delete.topic.enable', value: 'true', type: 'boolean', documentation: 'Whether topics can be deleted.' },
    {
      name: 'transaction.max.timeout.ms',
      value: '900000',
      type: 'int',
      documentation: 'The longest time-out a transactional producer may ask for.',
    },
  ]
  return facts.map(({ value, ...setting }) =>
    described({ ...setting, readOnly: true }, [{ name: setting.name, value, source: ConfigSource.STATIC_BROKER }]),
  )
}

function brokerSources(name: string, { image, brokerId, overrides }: Places): Source[] {
  const own = brokerId === null ? undefined : image.configOf(ConfigResourceType.BROKER, String(brokerId)).get(name)
  const shared = image.configOf(ConfigResourceType.BROKER, '').get(name)
  const fixed = overrides[name]
  return [
    ...(own === undefined ? [] : [{ name, value: own, source: ConfigSource.DYNAMIC_BROKER }]),
    ...(shared === undefined ? [] : [{ name, value: shared, source: ConfigSource.DYNAMIC_DEFAULT_BROKER }]),
    ...(fixed === undefined ? [] : [{ name, value: fixed, source: ConfigSource.STATIC_BROKER }]),
  ]
}

function described(
  setting: { readonly name: string; readonly type: ConfigType; readonly documentation: string; readonly readOnly: boolean },
  sources: readonly Source[],
): DescribedSetting {
  const { type, ...shown } = setting
  const [inForce] = sources
  if (inForce === undefined) throw new Error(`setting ${setting.name} has no value anywhere`)
  return {
    ...shown,
    value: inForce.value,
    configSource: inForce.source,
    isSensitive: false,
    synonyms: sources,
    configType: configTypeCodes[type],
  }
}
