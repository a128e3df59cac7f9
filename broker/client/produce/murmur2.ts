/** Kafka's key hash: 32-bit MurmurHash2 with the seed its Java client uses, so that all clients agree on partitions. */

const SEED = 0x9747b28c
const M = 0x5bd1e995
const R = 24

/** Signed 32 bits, as Java has it. */
export function murmur2(data: Uint8Array): number {
  const { length } = data
  const wholeBytes = length & ~3
  let hash = SEED ^ length
  for (let at = 0; at < wholeBytes; at += 4) {
    let word = (data[at] as number) | ((data[at + 1] as number) << 8) | ((data[at + 2] as number) << 16) | ((data[at + 3] as number) << 24)
    word = Math.imul(word, M)
    word ^= word >>> R
    word = Math.imul(word, M)
    hash = Math.imul(hash, M) ^ word
  }
  const rest = length & 3
  if (rest === 3) hash ^= (data[wholeBytes + 2] as number) << 16
  if (rest >= 2) hash ^= (data[wholeBytes + 1] as number) << 8
  if (rest >= 1) hash = Math.imul(hash ^ (data[wholeBytes] as number), M)
  hash ^= hash >>> 13
  hash = Math.imul(hash, M)
  return hash ^ (hash >>> 15)
}

/** The partition of a key: Java's `toPositive(murmur2(key)) % partitionCount`. */
export function partitionOfKey(key: Uint8Array, partitionCount: number): number {
  return (murmur2(key) & 0x7fffffff) % partitionCount
}
