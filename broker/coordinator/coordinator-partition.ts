/**
 * Which partition of `__consumer_offsets` a group lives in. Clients never compute this; tools and the leader of that
 * partition must agree on it, so it follows Java's `String.hashCode`.
 */

/** Java's `String.hashCode` over UTF-16 units, as a signed 32-bit integer. */
export function javaStringHashCode(text: string): number {
  let hash = 0
  for (let index = 0; index < text.length; index++) hash = (Math.imul(hash, 31) + text.charCodeAt(index)) | 0
  return hash
}

/** `Utils.abs(hash) % partitionCount`; Kafka maps the one value without a positive counterpart to 0. */
export function coordinatorPartition(id: string, partitionCount: number): number {
  const hash = javaStringHashCode(id)
  return (hash === -0x80000000 ? 0 : Math.abs(hash)) % partitionCount
}
