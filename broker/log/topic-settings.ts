/**
 * Every setting a topic may have: Kafka 4.3's names, types, defaults and limits, and the broker setting each inherits
 * from. The one list behind CreateTopics, DescribeConfigs, AlterConfigs and the console's forms.
 */
import type { ValueRule } from './config-value.ts'

export interface TopicSetting extends ValueRule {
  readonly name: string
  /** As text, the way DescribeConfigs shows it. */
  readonly defaultValue: string
  /** The broker setting that gives the default; null when the broker has none. */
  readonly brokerSynonym: string | null
  readonly documentation: string
}

const never = '9223372036854775807'
const codecs = ['uncompressed', 'zstd', 'lz4', 'snappy', 'gzip', 'producer']

export const topicSettings: readonly TopicSetting[] = [
  {
    name: 'cleanup.policy', type: 'list', oneOf: ['compact', 'delete'], defaultValue: 'delete', brokerSynonym: 'log.cleanup.policy',
    documentation: 'What happens to old records: "delete" removes them by age and size, "compact" keeps the newest record of each key. Both may be given; an empty list keeps everything.',
  },
  {
    name: 'compression.gzip.level', type: 'int', minimum: -1, maximum: 9, defaultValue: '-1', brokerSynonym: 'compression.gzip.level',
    documentation: 'Level used when compression.type is gzip; -1 is the library\'s own default.',
  },
  {
    name: 'compression.lz4.level', type: 'int', minimum: 1, maximum: 17, defaultValue: '9', brokerSynonym: 'compression.lz4.level',
    documentation: 'Level used when compression.type is lz4.',
  },
  {
    name: 'compression.type', type: 'string', oneOf: codecs, defaultValue: 'producer', brokerSynonym: 'compression.type',
    documentation: 'Codec of stored batches. "producer" keeps what the producer sent; any other value recompresses batches that differ.',
  },
  {
    name: 'compression.zstd.level', type: 'int', minimum: -131072, maximum: 22, defaultValue: '3', brokerSynonym: 'compression.zstd.level',
    documentation: 'Level used when compression.type is zstd.',
  },
  {
    name: 'delete.retention.ms', type: 'long', minimum: 0, defaultValue: '86400000', brokerSynonym: 'log.cleaner.delete.retention.ms',
    documentation: 'How long a compacted topic keeps a tombstone after compaction first saw it, so that readers learn of the deletion.',
  },
  {
    name: 'file.delete.delay.ms', type: 'long', minimum: 0, defaultValue: '60000', brokerSynonym: 'log.segment.delete.delay.ms',
    documentation: 'Time between taking a file out of the log and removing it from the disk.',
  },
  {
    name: 'flush.messages', type: 'long', minimum: 1, defaultValue: never, brokerSynonym: 'log.flush.interval.messages',
    documentation: 'Sync to disk after this many records. By default syncing is left to the background and durability to replication.',
  },
  {
    name: 'flush.ms', type: 'long', minimum: 0, defaultValue: never, brokerSynonym: 'log.flush.interval.ms',
    documentation: 'Sync to disk when the oldest unsynced record is this old.',
  },
  {
    name: 'follower.replication.throttled.replicas', type: 'list', defaultValue: '', brokerSynonym: null,
    documentation: 'Replicas whose replication is throttled on the follower\'s side: partition:broker pairs, or *.',
  },
  {
    name: 'index.interval.bytes', type: 'int', minimum: 0, defaultValue: '4096', brokerSynonym: 'log.index.interval.bytes',
    documentation: 'Bytes of log between two entries of the offset index.',
  },
  {
    name: 'leader.replication.throttled.replicas', type: 'list', defaultValue: '', brokerSynonym: null,
    documentation: 'Replicas whose replication is throttled on the leader\'s side: partition:broker pairs, or *.',
  },
  {
    name: 'local.retention.bytes', type: 'long', minimum: -2, defaultValue: '-2', brokerSynonym: 'log.local.retention.bytes',
    documentation: 'Local size limit of a tiered topic; -2 follows retention.bytes. Without effect here: there is no tiered storage.',
  },
  {
    name: 'local.retention.ms', type: 'long', minimum: -2, defaultValue: '-2', brokerSynonym: 'log.local.retention.ms',
    documentation: 'Local age limit of a tiered topic; -2 follows retention.ms. Without effect here: there is no tiered storage.',
  },
  {
    name: 'max.compaction.lag.ms', type: 'long', minimum: 1, defaultValue: never, brokerSynonym: 'log.cleaner.max.compaction.lag.ms',
    documentation: 'Longest time a record of a compacted topic may stay uncompacted.',
  },
  {
    name: 'max.message.bytes', type: 'int', minimum: 0, defaultValue: '1048588', brokerSynonym: 'message.max.bytes',
    documentation: 'Largest record batch accepted, after compression.',
  },
  {
    name: 'message.timestamp.after.max.ms', type: 'long', minimum: 0, defaultValue: '3600000', brokerSynonym: 'log.message.timestamp.after.max.ms',
    documentation: 'How far a record\'s timestamp may lie in the broker\'s future. Without effect with LogAppendTime.',
  },
  {
    name: 'message.timestamp.before.max.ms', type: 'long', minimum: 0, defaultValue: never, brokerSynonym: 'log.message.timestamp.before.max.ms',
    documentation: 'How far a record\'s timestamp may lie in the broker\'s past. Without effect with LogAppendTime.',
  },
  {
    name: 'message.timestamp.type', type: 'string', oneOf: ['CreateTime', 'LogAppendTime'], defaultValue: 'CreateTime', brokerSynonym: 'log.message.timestamp.type',
    documentation: 'Whether a record carries the producer\'s time or the time the broker appended it.',
  },
  {
    name: 'min.cleanable.dirty.ratio', type: 'double', minimum: 0, maximum: 1, defaultValue: '0.5', brokerSynonym: 'log.cleaner.min.cleanable.ratio',
    documentation: 'A compacted topic is compacted when this share of its log is new since the last time.',
  },
  {
    name: 'min.compaction.lag.ms', type: 'long', minimum: 0, defaultValue: '0', brokerSynonym: 'log.cleaner.min.compaction.lag.ms',
    documentation: 'Shortest time a record of a compacted topic stays uncompacted.',
  },
  {
    name: 'min.insync.replicas', type: 'int', minimum: 1, defaultValue: '1', brokerSynonym: 'min.insync.replicas',
    documentation: 'In-sync replicas that must exist for a write with acks=all to be taken.',
  },
  {
    name: 'preallocate', type: 'boolean', defaultValue: 'false', brokerSynonym: 'log.preallocate',
    documentation: 'Reserve a segment\'s space when it is created. Accepted and without effect: files grow as they are written.',
  },
  {
    name: 'remote.log.copy.disable', type: 'boolean', defaultValue: 'false', brokerSynonym: null,
    documentation: 'Stops copying a tiered topic to remote storage. Without effect here: there is no tiered storage.',
  },
  {
    name: 'remote.log.delete.on.disable', type: 'boolean', defaultValue: 'false', brokerSynonym: null,
    documentation: 'Deletes remote data when tiered storage is switched off. Without effect here: there is no tiered storage.',
  },
  {
    name: 'remote.storage.enable', type: 'boolean', defaultValue: 'false', brokerSynonym: null,
    documentation: 'Tiered storage. This cluster has none, so only false is taken.',
  },
  {
    name: 'retention.bytes', type: 'long', minimum: -1, defaultValue: '-1', brokerSynonym: 'log.retention.bytes',
    documentation: 'Largest size of one partition before its oldest segments are deleted; -1 is unlimited.',
  },
  {
    name: 'retention.ms', type: 'long', minimum: -1, defaultValue: '604800000', brokerSynonym: 'log.retention.ms',
    documentation: 'Age at which segments are deleted, by their newest record; -1 is unlimited.',
  },
  {
    name: 'segment.bytes', type: 'int', minimum: 1_048_576, defaultValue: '1073741824', brokerSynonym: 'log.segment.bytes',
    documentation: 'Size at which a new segment file is begun. Retention and compaction work on whole segments.',
  },
  {
    name: 'segment.index.bytes', type: 'int', minimum: 4, defaultValue: '10485760', brokerSynonym: 'log.index.size.max.bytes',
    documentation: 'Largest size of a segment\'s index; a full index begins a new segment.',
  },
  {
    name: 'segment.jitter.ms', type: 'long', minimum: 0, defaultValue: '0', brokerSynonym: 'log.roll.jitter.ms',
    documentation: 'Random time taken off segment.ms, so that segments do not all roll together.',
  },
  {
    name: 'segment.ms', type: 'long', minimum: 1, defaultValue: '604800000', brokerSynonym: 'log.roll.ms',
    documentation: 'Age at which a new segment is begun even if the current one is not full.',
  },
  {
    name: 'unclean.leader.election.enable', type: 'boolean', defaultValue: 'false', brokerSynonym: 'unclean.leader.election.enable',
    documentation: 'Whether a replica that is not in sync may become leader as the last resort, losing records.',
  },
]
