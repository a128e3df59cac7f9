import type { MetadataImage } from './image.ts'
import { topicCollisionKey } from './image.ts'

export const TOPIC_NAME_LENGTH_MAX = 249
const LEGAL_NAME = /^[a-zA-Z0-9._-]+$/

/** Why Kafka would refuse the name, as a sentence; null for a legal one. */
export function topicNameProblem(name: string): string | null {
  if (name === '') return 'A topic name must not be empty.'
  if (name === '.' || name === '..') return 'A topic must not be named "." or "..".'
  if (name.length > TOPIC_NAME_LENGTH_MAX)
    return `A topic name has at most ${TOPIC_NAME_LENGTH_MAX} characters, this one has ${name.length}.`
  if (!LEGAL_NAME.test(name)) return 'A topic name consists of letters, digits, ".", "_" and "-" only.'
  return null
}

export function isValidTopicName(name: string): boolean {
  return topicNameProblem(name) === null
}

/** The existing topic whose metric names the new one would share, if any. */
export function collidingTopic(image: MetadataImage, name: string): string | null {
  const other = image.topicNamesByCollisionKey.get(topicCollisionKey(name))
  return other === undefined || other === name ? null : other
}
