/**
 * Metadata v0-13: the brokers a client can reach on its listener, and who leads what.
 *
 * v0 asks for all topics with an empty list; from v1 null means all and empty means none. v4: auto-creation can be
 * declined. v10: topic ids in the answer; v12: topics may be asked for by id, then `name` is null. A topic being created
 * is answered with a retriable error first. A partition whose leader is not alive has LEADER_NOT_AVAILABLE and leader
 * -1; one whose leader is alive but not on this listener LISTENER_NOT_FOUND (v6+). The controller named is this broker:
 * every broker forwards what is the controller's to do.
 */
import type { MetadataImage, TopicImage } from '../cluster/image.ts'
import type { PartitionState } from '../cluster/partition-state.ts'
import { isValidTopicName } from '../cluster/topic-name.ts'
import { AclOperation, authorizedOperations, CLUSTER_NAME, OPERATIONS_NOT_REQUESTED, ResourceType } from '../security/authorizer.ts'
import { ErrorCode } from '../wire/errors.ts'
import type { Decoded, Encodable } from '../wire/schema.ts'
import { metadata } from './03-metadata.schema.ts'
import type { BrokerServices, BrokerSettings, RequestContext } from './context.ts'
import { defineApi } from './registry.ts'
import { isInternalTopic, ZERO_UUID } from './topics.ts'

type Request = Decoded<typeof metadata.request>
type Response = Encodable<typeof metadata.response>
type TopicAnswer = Response['topics'][number]
type PartitionAnswer = TopicAnswer['partitions'][number]
type Services = Pick<BrokerServices, 'nodeId' | 'clusterId' | 'image' | 'autoTopics'> & {
  readonly settings: Pick<BrokerSettings, 'autoCreateTopics'>
}

const BY_ID_SINCE = 12
const LISTENER_ERROR_SINCE = 6

export const metadataApi = defineApi(metadata, {
  listeners: 'everywhere',
  failure: (request, error) => failedMetadata(request, error),
  handle(request, context, services: Services) {
    if (!isWellFormed(request, context.apiVersion)) return failedMetadata(request, ErrorCode.INVALID_REQUEST)
    const image = services.image()
    const view = new ListenerView(image, context)
    return {
      brokers: view.brokers(),
      clusterId: services.clusterId,
      controllerId: controllerId(view, services.nodeId),
      topics: wantsAllTopics(request, context.apiVersion)
        ? allTopics(view, request)
        : request.topics!.map((asked) => askedTopic(view, asked, request, services)),
      clusterAuthorizedOperations: request.includeClusterAuthorizedOperations
        ? authorizedOperations(ResourceType.CLUSTER, (operation) => context.authorize(operation, ResourceType.CLUSTER, CLUSTER_NAME))
        : OPERATIONS_NOT_REQUESTED,
    }
  },
})

function wantsAllTopics(request: Request, apiVersion: number): boolean {
  return request.topics === null || (apiVersion === 0 && request.topics.length === 0)
}

function isWellFormed(request: Request, apiVersion: number): boolean {
  return (request.topics ?? []).every(({ name, topicId }) =>
    apiVersion < BY_ID_SINCE ? name !== null && topicId === ZERO_UUID : name !== null || topicId !== ZERO_UUID,
  )
}

function failedMetadata(request: Request, errorCode: ErrorCode): Response {
  return {
    brokers: [],
    topics: (request.topics ?? []).map(({ name, topicId }) => ({
      errorCode,
      name: name ?? '',
      topicId,
      isInternal: false,
      partitions: [],
    })),
    errorCode,
  }
}

function controllerId(view: ListenerView, nodeId: number): number {
  return view.isReachable(nodeId) ? nodeId : (view.brokers()[0]?.nodeId ?? -1)
}

function allTopics(view: ListenerView, request: Request): TopicAnswer[] {
  const answers: TopicAnswer[] = []
  for (const topic of view.image.topics()) {
    if (view.mayDescribe(topic.name)) answers.push(view.topic(topic, request.includeTopicAuthorizedOperations))
  }
  return answers
}

function askedTopic(
  view: ListenerView,
  asked: { name: string | null; topicId: string },
  request: Request,
  services: Services,
): TopicAnswer {
  const byId = asked.topicId !== ZERO_UUID
  const topic = byId ? view.image.topicById(asked.topicId) : view.image.topic(asked.name!)
  if (topic === undefined) {
    if (byId) return failedTopic(null, asked.topicId, ErrorCode.UNKNOWN_TOPIC_ID)
    return failedTopic(asked.name, ZERO_UUID, absentTopic(view.context, asked.name!, request.allowAutoTopicCreation, services))
  }
  if (view.mayDescribe(topic.name)) return view.topic(topic, request.includeTopicAuthorizedOperations)
  // The name of a topic that one may not see is not given away for its id.
  return byId
    ? failedTopic(null, asked.topicId, ErrorCode.TOPIC_AUTHORIZATION_FAILED)
    : failedTopic(topic.name, ZERO_UUID, ErrorCode.TOPIC_AUTHORIZATION_FAILED)
}

function absentTopic(context: RequestContext, name: string, mayCreate: boolean, services: Services): ErrorCode {
  if (!isValidTopicName(name)) return ErrorCode.INVALID_TOPIC_EXCEPTION
  if (!context.authorize(AclOperation.DESCRIBE, ResourceType.TOPIC, name)) return ErrorCode.TOPIC_AUTHORIZATION_FAILED
  if (!mayCreate || !services.settings.autoCreateTopics) return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
  const isAllowed =
    context.authorize(AclOperation.CREATE, ResourceType.TOPIC, name) ||
    context.authorize(AclOperation.CREATE, ResourceType.CLUSTER, CLUSTER_NAME)
  return isAllowed ? services.autoTopics.request(name, context.principal, context.clientId) : ErrorCode.TOPIC_AUTHORIZATION_FAILED
}

function failedTopic(name: string | null, topicId: string, errorCode: ErrorCode): TopicAnswer {
  return { errorCode, name, topicId, isInternal: name !== null && isInternalTopic(name), partitions: [] }
}

/** The image as one listener shows it: a broker without an endpoint on it does not exist there. */
class ListenerView {
  readonly image: MetadataImage
  readonly context: RequestContext
  readonly #reachable = new Set<number>()

  constructor(image: MetadataImage, context: RequestContext) {
    this.image = image
    this.context = context
    for (const broker of image.brokers.values()) {
      if (!broker.fenced && broker.endpoints.has(context.listener)) this.#reachable.add(broker.id)
    }
  }

  isReachable(brokerId: number): boolean {
    return this.#reachable.has(brokerId)
  }

  mayDescribe(topic: string): boolean {
    return this.context.authorize(AclOperation.DESCRIBE, ResourceType.TOPIC, topic)
  }

  brokers() {
    return [...this.#reachable].map((nodeId) => {
      const { endpoints, rack } = this.image.broker(nodeId)!
      const { host, port } = endpoints.get(this.context.listener)!
      return { nodeId, host, port, rack }
    })
  }

  topic(topic: TopicImage, withOperations: boolean): TopicAnswer {
    return {
      errorCode: ErrorCode.NONE,
      name: topic.name,
      topicId: topic.id,
      isInternal: isInternalTopic(topic.name),
      partitions: topic.partitions.map((partition, index) => this.#partition(partition, index)),
      topicAuthorizedOperations: withOperations
        ? authorizedOperations(ResourceType.TOPIC, (operation) => this.context.authorize(operation, ResourceType.TOPIC, topic.name))
        : OPERATIONS_NOT_REQUESTED,
    }
  }

  #partition(partition: PartitionState, partitionIndex: number): PartitionAnswer {
    const isAlive = this.isReachable(partition.leader)
    return {
      errorCode: isAlive ? ErrorCode.NONE : this.#leaderError(partition),
      partitionIndex,
      leaderId: isAlive ? partition.leader : -1,
      leaderEpoch: partition.leaderEpoch,
      replicaNodes: partition.replicas,
      isrNodes: partition.isr,
      offlineReplicas: partition.replicas.filter((id) => !this.isReachable(id) || this.image.isStorageOffline(id)),
    }
  }

  #leaderError(partition: PartitionState): ErrorCode {
    const isOnAnotherListener = this.image.isUnfenced(partition.leader)
    return isOnAnotherListener && this.context.apiVersion >= LISTENER_ERROR_SINCE
      ? ErrorCode.LISTENER_NOT_FOUND
      : ErrorCode.LEADER_NOT_AVAILABLE
  }
}
