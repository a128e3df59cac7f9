/**
 * DescribeConfigs v1-4: the settings of topics, of this broker, and of all brokers (the broker named "").
 *
 * Null keys ask for every setting; a key nobody knows is left out. v3: type and documentation. A broker's settings must
 * be asked of that broker. Loggers, client metrics and groups have no settings here and are INVALID_REQUEST.
 */
import { ConfigResourceType } from '../cluster/image.ts'
import { isValidTopicName } from '../cluster/topic-name.ts'
import { topicSettings } from '../log/topic-config.ts'
import { AclOperation, CLUSTER_NAME, ResourceType } from '../security/authorizer.ts'
import { ErrorCode } from '../wire/errors.ts'
import type { Decoded, Encodable } from '../wire/schema.ts'
import { describeConfigs } from './32-describe-configs.schema.ts'
import { brokerSettings } from './broker-settings.ts'
import type { BrokerServices, BrokerSettings, RequestContext } from './context.ts'
import {
  type BrokerView,
  describeBrokerSetting,
  describeClusterDefault,
  type DescribedSetting,
  describeFact,
  describeTopicSetting,
} from './described-settings.ts'
import { defineApi } from './registry.ts'

type Request = Decoded<typeof describeConfigs.request>
type Asked = Request['resources'][number]
type Result = Encodable<typeof describeConfigs.response>['results'][number]
type Services = Pick<BrokerServices, 'nodeId' | 'image'> & {
  readonly settings: Pick<BrokerSettings, 'overrides'>
  readonly partitions: Pick<BrokerServices['partitions'], 'logDirectory'>
}

/** Broker settings that are also topic defaults take effect at once when changed; the others are read at the start. */
const dynamicNames = new Set(topicSettings.flatMap(({ brokerSynonym }) => (brokerSynonym === null ? [] : [brokerSynonym])))

export const describeConfigsApi = defineApi(describeConfigs, {
  listeners: 'everywhere',
  failure: (request, error) => ({ throttleTimeMs: 0, results: request.resources.map((asked) => failed(asked, error, null)) }),
  handle(request, context, services: Services) {
    return { throttleTimeMs: 0, results: request.resources.map((asked) => describe(asked, request, context, services)) }
  },
})

function describe(asked: Asked, request: Request, context: RequestContext, services: Services): Result {
  switch (asked.resourceType) {
    case ConfigResourceType.TOPIC:
      return describeTopic(asked, request, context, services)
    case ConfigResourceType.BROKER:
      return describeBroker(asked, request, context, services)
    default:
      return failed(asked, ErrorCode.INVALID_REQUEST, `Resource type ${asked.resourceType} has no settings here: only topics (2) and brokers (4) have.`)
  }
}

function describeTopic(asked: Asked, request: Request, context: RequestContext, services: Services): Result {
  const { resourceName: topic } = asked
  if (!context.authorize(AclOperation.DESCRIBE_CONFIGS, ResourceType.TOPIC, topic)) return failed(asked, ErrorCode.TOPIC_AUTHORIZATION_FAILED, null)
  if (!isValidTopicName(topic)) return failed(asked, ErrorCode.INVALID_TOPIC_EXCEPTION, `${JSON.stringify(topic)} is not a legal topic name.`)
  const view = viewOf(services)
  if (view.image.topic(topic) === undefined) return failed(asked, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, null)
  return answered(asked, request, topicSettings.map((setting) => describeTopicSetting(view, topic, setting)))
}

function describeBroker(asked: Asked, request: Request, context: RequestContext, services: Services): Result {
  if (!context.authorize(AclOperation.DESCRIBE_CONFIGS, ResourceType.CLUSTER, CLUSTER_NAME)) {
    return failed(asked, ErrorCode.CLUSTER_AUTHORIZATION_FAILED, null)
  }
  const view = viewOf(services)
  if (asked.resourceName === '') {
    const set = brokerSettings.map((setting) => describeClusterDefault(view, setting))
    return answered(asked, request, set.filter((setting) => setting !== null))
  }
  if (asked.resourceName !== String(services.nodeId)) {
    const problem = `Settings of broker ${JSON.stringify(asked.resourceName)} were asked of broker ${services.nodeId}.`
    return failed(asked, ErrorCode.INVALID_REQUEST, problem)
  }
  return answered(asked, request, [
    describeFact('node.id', String(services.nodeId), 'int', 'The id of this broker.'),
    describeFact('broker.id', String(services.nodeId), 'int', 'The id of this broker.'),
    describeFact('log.dirs', services.partitions.logDirectory, 'string', 'Where this broker keeps its partitions.'),
    ...brokerSettings.map((setting) => describeBrokerSetting(view, setting, dynamicNames.has(setting.name))),
  ])
}

function viewOf({ image, nodeId, settings }: Services): BrokerView {
  return { image: image(), nodeId, overrides: settings.overrides }
}

function answered(asked: Asked, request: Request, settings: readonly DescribedSetting[]): Result {
  const keys = asked.configurationKeys === null ? null : new Set(asked.configurationKeys)
  const configs = settings
    .filter(({ name }) => keys === null || keys.has(name))
    .map((setting) => ({
      ...setting,
      synonyms: request.includeSynonyms ? setting.synonyms : [],
      documentation: request.includeDocumentation ? setting.documentation : null,
    }))
  const { resourceType, resourceName } = asked
  return { errorCode: ErrorCode.NONE, errorMessage: null, resourceType, resourceName, configs }
}

function failed({ resourceType, resourceName }: Asked, errorCode: ErrorCode, errorMessage: string | null): Result {
  return { errorCode, errorMessage, resourceType, resourceName, configs: [] }
}
