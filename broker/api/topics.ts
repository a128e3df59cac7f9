/** What handlers need to know about topics beyond the image: which are internal, and how a request names one. */
import type { MetadataImage, TopicImage } from '../cluster/image.ts'
import { ErrorCode } from '../wire/errors.ts'
import type { RequestContext } from './context.ts'
import { type AclOperation, ResourceType } from '../security/authorizer.ts'

/** The uuid that names no topic. */
export const ZERO_UUID = 'AAAAAAAAAAAAAAAAAAAAAA'

export const OFFSETS_TOPIC = '__consumer_offsets'

const internalTopics = new Set([OFFSETS_TOPIC, '__transaction_state', '__share_group_state'])

/** Topics the cluster keeps for itself; clients may read them and not write them. */
export function isInternalTopic(name: string): boolean {
  return internalTopics.has(name)
}

export type TopicLookup =
  | { readonly name: string; readonly topic: TopicImage | null; readonly error: typeof ErrorCode.NONE }
  | { readonly name: string; readonly topic: null; readonly error: Exclude<ErrorCode, typeof ErrorCode.NONE> }

/**
 * Finds the topic a request names by id (when it carries ids) or by name, and checks the right to use it. A name that is
 * not in the image is no error here: whoever asks for its partition gets one.
 */
export function findTopic(
  image: MetadataImage,
  context: Pick<RequestContext, 'authorize'>,
  named: { readonly name: string; readonly topicId: string; readonly byId: boolean },
  operation: AclOperation,
): TopicLookup {
  const topic = (named.byId ? image.topicById(named.topicId) : image.topic(named.name)) ?? null
  if (topic === null && named.byId) return { name: '', topic: null, error: ErrorCode.UNKNOWN_TOPIC_ID }
  const name = topic?.name ?? named.name
  if (context.authorize(operation, ResourceType.TOPIC, name)) return { name, topic, error: ErrorCode.NONE }
  return { name, topic: null, error: ErrorCode.TOPIC_AUTHORIZATION_FAILED }
}
