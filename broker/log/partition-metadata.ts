/** `partition.metadata`: the id of the topic a partition folder belongs to, so that a topic re-created under the same name is told apart. */

/** What Kafka means by "no id". */
export const zeroTopicId = 'AAAAAAAAAAAAAAAAAAAAAA'

export function encodePartitionMetadata(topicId: string): Buffer {
  return Buffer.from(`version: 0\ntopic_id: ${topicId}\n`)
}

/** Null when the file does not read, or names no topic. */
export function decodePartitionMetadata(content: Buffer): string | null {
  const match = /^version: 0\r?\ntopic_id: ([\w-]{22})\s*$/.exec(content.toString('utf8'))
  const topicId = match?.[1] ?? null
  return topicId === zeroTopicId ? null : topicId
}
