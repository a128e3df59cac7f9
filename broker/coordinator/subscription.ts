import { consumerProtocolSubscription } from '../api/consumer-protocol.schema.ts'
import { decodeMessage } from '../wire/codec.ts'
import { WireError } from '../wire/errors.ts'
import type { Group } from './group-types.ts'
import { memberMetadata } from './membership.ts'

/**
 * What the members of a "consumer" group say they read. The coordinator needs it for two decisions only: which offsets
 * may be deleted, and which may expire. To everything else member metadata is opaque.
 */

const VERSION_BYTES = 2

/** The topics any member subscribes to; null when a member's metadata cannot be read, so that nothing is known. */
export function subscribedTopics(group: Group): ReadonlySet<string> | null {
  const topics = new Set<string>()
  for (const member of group.members.values()) {
    const names = topicsOf(memberMetadata(member, group.protocolName ?? member.protocols[0]?.name ?? ''))
    if (names === null) return null
    for (const name of names) topics.add(name)
  }
  return topics
}

function topicsOf(metadata: Buffer): readonly string[] | null {
  if (metadata.length < VERSION_BYTES) return null
  const version = metadata.readInt16BE(0)
  if (version < 0) return null
  // The topics come first in every version, so a newer one is read as the newest known, its additions ignored.
  const known = Math.min(version, 3)
  try {
    return decodeMessage(consumerProtocolSubscription, known, metadata, VERSION_BYTES, 'ignore').topics
  } catch (error) {
    if (error instanceof WireError) return null
    throw error
  }
}
