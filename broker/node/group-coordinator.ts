/**
 * Binds the group coordinator to this broker: its partitions of `__consumer_offsets`, its clock and timers.
 *
 * The coordinator follows the leadership of those partitions; nothing else tells it when to load or to let go.
 */
import { brokerSettingValues } from '../api/broker-settings.ts'
import type { BrokerServices } from '../api/context.ts'
import type { HostedPartition, Partitions } from '../api/partitions.ts'
import { OFFSETS_TOPIC } from '../api/topics.ts'
import { GroupCoordinator } from '../coordinator/group-coordinator.ts'
import type { CoordinatorRecord } from '../coordinator/group-records.ts'
import type { GroupConfig } from '../coordinator/group-types.ts'
import type { Env } from '../env/types.ts'
import type { PartitionLog } from '../log/types.ts'
import { ErrorCode, errorName } from '../wire/errors.ts'
import { batchesIn, encodeBatch, isControl, recordsIn } from '../wire/record-batch.ts'

/** How long a commit or a group record may wait for its replicas; offsets.commit.timeout.ms. */
const APPEND_TIMEOUT_MS = 5_000
/** What one read takes while a partition is loaded; offsets.load.buffer.size. */
const LOAD_BYTES = 5 * 1024 * 1024

export interface RunningGroupCoordinator {
  readonly coordinator: GroupCoordinator
  close(): void
}

export function startGroupCoordinator(
  env: Env,
  partitions: Partitions,
  services: Pick<BrokerServices, 'image' | 'settings'>,
): RunningGroupCoordinator {
  const { settings } = services
  const coordinator: GroupCoordinator = new GroupCoordinator(
    {
      now: () => ({ wallMs: env.clock.nowMs(), monotonicMs: env.clock.monotonicMs() }),
      after: (delayMs, callback) => env.timers.after(delayMs, callback),
      uuid: () => env.random.uuid(),
      partitionCount: () => services.image().topic(OFFSETS_TOPIC)?.partitions.length ?? settings.offsetsTopicPartitions,
      append: (partition, records) => append(env, partitions, partition, records),
      read: (partition) => readAll(partitions, partition),
      onTransition: ({ groupId, state, generationId, members }) =>
        env.log.write('info', 'group changed state', { group: groupId, state, generation: generationId, members: members.size }),
      onUnwritable: ({ groupId }, problem) =>
        env.log.write('error', 'a group does not fit into a record; its members were told so', {
          group: groupId,
          problem: String(problem),
        }),
      onLoaded: (partition, groups, problem) => {
        if (problem !== null)
          env.log.write('error', 'groups could not be read; their members wait', { partition, problem: String(problem) })
        else if (groups > 0) env.log.write('info', 'groups loaded', { partition, groups })
      },
    },
    groupConfig(settings.overrides),
  )
  const follow = (hosted: HostedPartition) => {
    if (hosted.topic !== OFFSETS_TOPIC) return
    if (hosted.isLeader && !hosted.isOffline) void coordinator.elected(hosted.partition, hosted.leaderEpoch)
    else coordinator.resigned(hosted.partition)
  }
  for (const hosted of partitions.hosted()) follow(hosted)
  const stopFollowing = partitions.onLeadershipChange(follow)
  return {
    coordinator,
    close() {
      stopFollowing()
      coordinator.close()
    },
  }
}

function groupConfig(overrides: Readonly<Record<string, string>>): GroupConfig {
  const values = brokerSettingValues(overrides)
  return {
    initialRebalanceDelayMs: values.groupInitialRebalanceDelayMs,
    minSessionTimeoutMs: values.groupSessionTimeoutMinMs,
    maxSessionTimeoutMs: values.groupSessionTimeoutMaxMs,
    maxSize: values.groupSizeMax,
    offsetMetadataMaxBytes: values.offsetMetadataBytesMax,
    offsetsRetentionMs: values.offsetsRetentionMinutes * 60_000,
  }
}

async function append(env: Env, partitions: Partitions, partition: number, records: readonly CoordinatorRecord[]): Promise<ErrorCode> {
  const { partition: hosted, error } = partitions.leader(OFFSETS_TOPIC, partition)
  if (hosted === null) return error
  const timestampMs = env.clock.nowMs()
  const batch = encodeBatch({ records: records.map(({ key, value }) => ({ timestampMs, key, value })) })
  const outcome = hosted.append(batch, { origin: 'coordinator', acks: -1, timeoutMs: APPEND_TIMEOUT_MS, zstdAllowed: true })
  return outcome.error === ErrorCode.NONE ? outcome.acknowledged : outcome.error
}

async function* readAll(partitions: Partitions, partition: number): AsyncGenerator<{ key: Buffer; value: Buffer | null }> {
  const { partition: hosted, error } = partitions.leader(OFFSETS_TOPIC, partition)
  if (hosted === null) throw new Error(`${OFFSETS_TOPIC}-${partition} cannot be read: ${errorName(error)}`)
  const { log } = hosted
  const end = log.logEndOffset
  for (let offset = log.logStartOffset; offset < end;) {
    const { records, nextOffset } = await readSome(log, offset, end)
    for (const chunk of records) {
      for (const { header, position } of batchesIn(chunk)) {
        if (isControl(header)) continue
        for (const { key, value } of recordsIn(chunk, position, header)) if (key !== null) yield { key, value }
      }
    }
    offset = nextOffset
  }
}

async function readSome(log: PartitionLog, fromOffset: number, upToOffset: number) {
  const request = { fromOffset, upToOffset, maxBytes: LOAD_BYTES, atLeastOneBatch: true }
  const result = log.readCached(request) ?? (await log.read(request))
  if (result.errorCode !== ErrorCode.NONE) throw new Error(`${log.directory} at offset ${fromOffset}: ${errorName(result.errorCode)}`)
  // A gap left by compaction at the very end has no batch to continue from.
  return result.nextOffset > fromOffset ? result : { ...result, nextOffset: upToOffset }
}
