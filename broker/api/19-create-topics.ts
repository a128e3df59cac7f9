/**
 * CreateTopics v2-7, at the controller.
 *
 * Each topic is decided on its own and answered in the order of the request; partition count and replication factor -1 take the
 * cluster's defaults (v4+). A dry run answers the same and changes nothing. v5+ returns the settings the topic has, unless the
 * client may not see them. v7 returns the topic's id.
 */
import { createTopics as decideTopics, type CreateTopicAnswer, type NewTopic } from '../cluster/topic-control.ts'
import { AclOperation, CLUSTER_NAME, ResourceType } from '../security/authorizer.ts'
import { ErrorCode } from '../wire/errors.ts'
import { ZERO_UUID, type Decoded, type Encodable } from '../wire/schema.ts'
import { createTopics } from './19-create-topics.schema.ts'
import { ConfigResourceType } from '../cluster/image.ts'
import { configRules } from './config-rules.ts'
import type { RequestContext } from './context.ts'
import type { ControllerServices } from './controller-context.ts'
import { describeTopicSettings } from './described-settings.ts'
import { defineApi } from './registry.ts'

type Request = Decoded<typeof createTopics.request>
type Result = Encodable<typeof createTopics.response>['topics'][number]
type Services = Pick<ControllerServices, 'controller' | 'topicDefaults' | 'newUuid' | 'overrides' | 'image'>

export const createTopicsApi = defineApi(createTopics, {
  listeners: 'everywhere',
  failure: createTopicsFailure,
  async handle(request, context, services: Services) {
    const allowed = request.topics.filter(({ name }) => mayCreate(context, name))
    const rules = configRules(services.overrides)
    const options = {
      defaults: services.topicDefaults,
      newTopicId: services.newUuid,
      configProblem: (settings: ReadonlyMap<string, string>) => rules.problem(ConfigResourceType.TOPIC, settings),
    }
    const isRehearsal = request.validateOnly
    const answers = await services.controller.write((input) => decideTopics(input, allowed.map(newTopic), options), { isRehearsal })
    const byTopic = new Map(allowed.map((topic, index) => [topic, answers[index]!]))
    const partitions = [...byTopic.values()].reduce((sum, answer) => sum + ('topicId' in answer ? answer.partitionCount : 0), 0)
    const throttleTimeMs = context.quota('controllerMutations', partitions)
    return { throttleTimeMs, topics: request.topics.map((topic) => resultOf(topic.name, byTopic.get(topic), request, services)) }
  },
})

export function createTopicsFailure(request: Request, errorCode: ErrorCode): Encodable<typeof createTopics.response> {
  return { throttleTimeMs: 0, topics: request.topics.map(({ name }) => ({ name, errorCode, errorMessage: null, configs: null })) }
}

function mayCreate(context: RequestContext, name: string): boolean {
  return (
    context.authorize(AclOperation.CREATE, ResourceType.CLUSTER, CLUSTER_NAME) ||
    context.authorize(AclOperation.CREATE, ResourceType.TOPIC, name)
  )
}

function newTopic({ name, numPartitions, replicationFactor, assignments, configs }: Request['topics'][number]): NewTopic {
  const byPartition = new Map(assignments.map(({ partitionIndex, brokerIds }) => [partitionIndex, brokerIds]))
  return { name, partitionCount: numPartitions, replicationFactor, assignments: byPartition, configs }
}

function resultOf(name: string, answer: CreateTopicAnswer | undefined, request: Request, { overrides, image }: Services): Result {
  if (answer === undefined) {
    return {
      name,
      errorCode: ErrorCode.TOPIC_AUTHORIZATION_FAILED,
      errorMessage: `Creating topic '${name}' is not allowed.`,
      configs: null,
    }
  }
  if (!('topicId' in answer)) return { name, ...answer, configs: null }
  const configs = describeTopicSettings({ own: answer.configs, image: image(), brokerId: null, overrides }).map(
    ({ name: setting, value, readOnly, configSource, isSensitive }) => ({ name: setting, value, readOnly, configSource, isSensitive }),
  )
  return {
    name,
    topicId: request.validateOnly ? ZERO_UUID : answer.topicId,
    errorCode: ErrorCode.NONE,
    errorMessage: null,
    numPartitions: answer.partitionCount,
    replicationFactor: answer.replicationFactor,
    configs,
  }
}
