/** What the group APIs share: who may use a group, and how the offset APIs name topics. */
import type { MetadataImage } from '../cluster/image.ts'
import { type AclOperation, ResourceType } from '../security/authorizer.ts'
import { ErrorCode } from '../wire/errors.ts'
import type { RequestContext } from './context.ts'
import { ZERO_UUID } from './topics.ts'

export function mayUseGroup(context: Pick<RequestContext, 'authorize'>, operation: AclOperation, groupId: string): boolean {
  return context.authorize(operation, ResourceType.GROUP, groupId)
}

export interface NamedTopic {
  /** '' when the id is unknown. */
  readonly name: string
  readonly topicId: string
}

/** Gives a topic of an offset request both its name and its id; from v10 requests carry ids only (KIP-848). */
export function nameTopic(image: MetadataImage, topic: { readonly name: string; readonly topicId: string }, byId: boolean): NamedTopic {
  if (byId) return { name: image.topicById(topic.topicId)?.name ?? '', topicId: topic.topicId }
  return { name: topic.name, topicId: image.topic(topic.name)?.id ?? ZERO_UUID }
}

/** Whether an offset of this partition makes sense now: the topic is known and has such a partition. */
export function partitionProblem(image: MetadataImage, topic: NamedTopic, partition: number, byId: boolean): ErrorCode {
  if (byId && topic.name === '') return ErrorCode.UNKNOWN_TOPIC_ID
  return image.partition(topic.name, partition) === undefined ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION : ErrorCode.NONE
}
