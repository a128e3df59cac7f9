/** What settings topics and brokers have, for the decisions that change them. */
import { ConfigResourceType } from '../cluster/image.ts'
import type { ConfigRules } from '../cluster/config-control.ts'
import { throttledRateSetting, throttledReplicasProblem, throttledReplicasSetting } from '../cluster/replication-throttle.ts'
import { parseTopicConfig, topicSetting, topicSettings } from '../log/topic-config.ts'
import { brokerSetting, brokerSettingProblem, topicDefaults } from './broker-settings.ts'

/** The defaults of topic settings and the rates of replication take effect when they change; other settings of a broker are read at its start. */
const dynamicBrokerSettings: ReadonlySet<string> = new Set([
  ...topicSettings.flatMap(({ brokerSynonym }) => (brokerSynonym === null ? [] : [brokerSynonym])),
  throttledRateSetting('follower'),
  throttledRateSetting('leader'),
])

export function isDynamicBrokerSetting(name: string): boolean {
  return dynamicBrokerSettings.has(name)
}

/** `overrides` are what the nodes were started with, under Kafka's names for broker settings. */
export function configRules(overrides: Readonly<Record<string, string>>): ConfigRules {
  return {
    problem(resourceType, settings) {
      if (resourceType === ConfigResourceType.TOPIC)
        return parseTopicConfig(settings, topicDefaults(overrides)).problems[0]?.problem ?? throttleProblem(settings)
      for (const [name, value] of settings) {
        const problem = brokerProblem(name, value)
        if (problem !== null) return problem
      }
      return parseTopicConfig([], topicDefaults({ ...overrides, ...Object.fromEntries(settings) })).problems[0]?.problem ?? null
    },
    isList(resourceType, name) {
      const setting = resourceType === ConfigResourceType.TOPIC ? topicSetting(name) : brokerSetting(name)
      return setting?.type === 'list'
    },
    defaultValue(resourceType, name) {
      if (resourceType !== ConfigResourceType.TOPIC) return overrides[name] ?? brokerSetting(name)?.defaultValue ?? ''
      const synonym = topicSetting(name)?.brokerSynonym ?? null
      return (synonym === null ? undefined : overrides[synonym]) ?? topicSetting(name)?.defaultValue ?? ''
    },
  }
}

function throttleProblem(settings: ReadonlyMap<string, string>): string | null {
  for (const side of ['leader', 'follower'] as const) {
    const name = throttledReplicasSetting(side)
    const problem = throttledReplicasProblem(name, settings.get(name) ?? '')
    if (problem !== null) return problem
  }
  return null
}

function brokerProblem(name: string, value: string): string | null {
  const problem = brokerSettingProblem(name, value)
  if (problem !== null) return problem
  if (isDynamicBrokerSetting(name)) return null
  return `${name} is read when a broker starts and cannot be changed while it runs. Set it in the node's configuration and restart it.`
}
