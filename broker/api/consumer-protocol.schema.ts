/**
 * What consumers put into the opaque metadata and assignment of a classic group. Each is prefixed by its int16 version
 * (`encodePrefixed`, `decodePrefixed`); a version newer than these is read as the newest, its extra bytes ignored.
 */
import { array, bytes, int32, message, string } from '../wire/schema.ts'

/** What a member wants: topics, and from v1 the partitions it owns. */
export const consumerProtocolSubscription = message({
  name: 'ConsumerProtocolSubscription',
  versions: '0-3',
  flexible: 'none',
  fields: {
    topics: array(string()),
    userData: bytes({ nullable: true, default: null }),
    ownedPartitions: array(
      {
        topic: string(),
        partitions: array(int32()),
      },
      { versions: '1+' },
    ),
    generationId: int32({ versions: '2+', default: -1 }),
    rackId: string({ versions: '3+', nullable: true, default: null }),
  },
})

/** What a member gets. */
export const consumerProtocolAssignment = message({
  name: 'ConsumerProtocolAssignment',
  versions: '0-3',
  flexible: 'none',
  fields: {
    assignedPartitions: array({
      topic: string(),
      partitions: array(int32()),
    }),
    userData: bytes({ nullable: true, default: null }),
  },
})
