/**
 * DescribeConfigs v1-4, answered by the broker that is asked, from the metadata it has.
 *
 * Resources: a topic; a broker, which must be this one, as only it knows what it was started with; "" for what is set for all
 * brokers. Null keys ask for all settings, and unknown keys are left out. Synonyms only when asked for; v3: types, and
 * documentation when asked for. Other resource types are refused with INVALID_REQUEST.
 */
import { ConfigResourceType } from '../cluster/image.ts'
import { topicNameProblem } from '../cluster/topic-name.ts'
import { AclOperation, CLUSTER_NAME, ResourceType } from '../security/authorizer.ts'
import { ErrorCode } from '../wire/errors.ts'
import type { Decoded, Encodable } from '../wire/schema.ts'
import { describeConfigs } from './32-describe-configs.schema.ts'
import type { BrokerServices, RequestContext } from './context.ts'
import {
  describeBrokerSettings,
  describeDefaultBrokerSettings,
  describeTopicSettings,
  type DescribedSetting,
} from './described-settings.ts'
import { defineApi } from './registry.ts'

type Request = Decoded<typeof describeConfigs.request>
type Response = Encodable<typeof describeConfigs.response>
type Services = Pick<BrokerServices, 'image' | 'nodeId' | 'settings'>
type Outcome = readonly DescribedSetting[] | { readonly errorCode: ErrorCode; readonly errorMessage: string }

export const describeConfigsApi = defineApi(describeConfigs, {
  listeners: 'everywhere',
  failure: (request, errorCode): Response => ({
    throttleTimeMs: 0,
    results: request.resources.map(({ resourceType, resourceName }) => ({
      errorCode,
      errorMessage: null,
      resourceType,
      resourceName,
      configs: [],
    })),
  }),
  handle(request, context, services: Services): Response {
    const results = request.resources.map(({ resourceType, resourceName, configurationKeys }) => {
      const outcome = settingsOf(resourceType, resourceName, context, services)
      if ('errorCode' in outcome) return { ...outcome, resourceType, resourceName, configs: [] }
      const keys = configurationKeys === null ? null : new Set(configurationKeys)
      const shown = outcome.filter(({ name }) => keys === null || keys.has(name))
      return {
        errorCode: ErrorCode.NONE,
        errorMessage: null,
        resourceType,
        resourceName,
        configs: shown.map((setting) => entryOf(setting, request)),
      }
    })
    return { throttleTimeMs: 0, results }
  },
})

function settingsOf(resourceType: number, resourceName: string, context: RequestContext, services: Services): Outcome {
  const { nodeId, settings } = services
  const image = services.image()
  const places = { image, brokerId: nodeId, overrides: settings.overrides }
  if (resourceType === ConfigResourceType.TOPIC) {
    if (!context.authorize(AclOperation.DESCRIBE_CONFIGS, ResourceType.TOPIC, resourceName)) {
      return {
        errorCode: ErrorCode.TOPIC_AUTHORIZATION_FAILED,
        errorMessage: `Reading the settings of topic '${resourceName}' is not allowed.`,
      }
    }
    const problem = topicNameProblem(resourceName)
    if (problem !== null) return { errorCode: ErrorCode.INVALID_TOPIC_EXCEPTION, errorMessage: problem }
    if (image.topic(resourceName) === undefined) {
      return { errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, errorMessage: `Topic '${resourceName}' does not exist.` }
    }
    return describeTopicSettings({ ...places, own: image.configOf(ConfigResourceType.TOPIC, resourceName) })
  }
  if (resourceType !== ConfigResourceType.BROKER) {
    return {
      errorCode: ErrorCode.INVALID_REQUEST,
      errorMessage: `Resource type ${resourceType} has no settings here; 2 (topic) and 4 (broker) have.`,
    }
  }
  if (!context.authorize(AclOperation.DESCRIBE_CONFIGS, ResourceType.CLUSTER, CLUSTER_NAME)) {
    return { errorCode: ErrorCode.CLUSTER_AUTHORIZATION_FAILED, errorMessage: 'Reading the settings of brokers is not allowed.' }
  }
  if (resourceName === '') return describeDefaultBrokerSettings(image)
  if (resourceName === String(nodeId)) return describeBrokerSettings(places)
  return {
    errorCode: ErrorCode.INVALID_REQUEST,
    errorMessage: `This is broker ${nodeId}; the settings of broker "${resourceName}" must be asked of that broker.`,
  }
}

function entryOf(setting: DescribedSetting, request: Request): Response['results'][number]['configs'][number] {
  const { synonyms, documentation, ...entry } = setting
  return { ...entry, synonyms: request.includeSynonyms ? synonyms : [], documentation: request.includeDocumentation ? documentation : null }
}
