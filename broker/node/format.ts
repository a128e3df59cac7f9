/**
 * A controller's folder before its first use, as `kafka-storage format` leaves it: whose it is (`meta.properties`), what the
 * cluster starts with (`bootstrap.checkpoint`), and who votes (the snapshot at offset 0 of the metadata log).
 *
 * The voters are a matter of the folder from then on, not of the configuration: a quorum that read them from two different
 * configurations could have two majorities. `meta.properties` is written last, so a folder formatted halfway is formatted again.
 */
import { featureLevelRecord, type MetadataRecord } from '../cluster/metadata-records.ts'
import { initialFeatureLevels } from '../cluster/features.ts'
import type { Env } from '../env/types.ts'
import { encodeMetaProperties } from '../log/meta-properties.ts'
import { METADATA_PARTITION, METADATA_TOPIC } from '../quorum/metadata-topic.ts'
import type { VoterSet } from '../quorum/types.ts'
import type { NodeConfig } from './config.ts'
import { NodeConfigError } from './config.ts'
import { decodeSnapshot, encodeSnapshot, snapshotFileName } from './metadata-snapshot.ts'

export interface FormattedFolder {
  readonly voters: VoterSet
  /** What the first leader writes into an empty log. */
  readonly initialRecords: readonly MetadataRecord[]
}

type FolderConfig = Pick<NodeConfig, 'dataDirectory' | 'clusterId' | 'nodeId' | 'voters'>

/** Formats the folder if it is not, and reads what it was formatted with. */
export async function openFormatted(env: Env, config: FolderConfig): Promise<FormattedFolder> {
  const { dataDirectory } = config
  const metaProperties = `${dataDirectory}/meta.properties`
  if ((await env.disk.stat(metaProperties)) === null) await format(env, config, metaProperties)
  const { voters } = await readSnapshot(env, votersPath(dataDirectory))
  const { records } = await readSnapshot(env, bootstrapPath(dataDirectory))
  if (voters === null) throw new Error(`${votersPath(dataDirectory)} does not name the voters`)
  return { voters, initialRecords: records }
}

async function format(env: Env, { dataDirectory, clusterId, nodeId, voters }: FolderConfig, metaProperties: string): Promise<void> {
  const self = voters.find(({ id }) => id === nodeId)
  if (self === undefined) {
    throw new NodeConfigError(`voters must name this controller (${nodeId}) with the id of its directory, to format ${dataDirectory}.`)
  }
  const nowMs = env.clock.nowMs()
  const records = [...initialFeatureLevels].map(([name, level]) => featureLevelRecord(name, level))
  await env.disk.makeDirectory(logPath(dataDirectory))
  await env.disk.writeFileAtomic(votersPath(dataDirectory), encodeSnapshot({ voters, records: [] }, nowMs))
  await env.disk.writeFileAtomic(bootstrapPath(dataDirectory), encodeSnapshot({ voters: null, records }, nowMs))
  await env.disk.writeFileAtomic(metaProperties, encodeMetaProperties({ clusterId, nodeId, directoryId: self.directoryId }))
  env.log.write('info', 'formatted the metadata folder', { directory: dataDirectory, voters: voters.map(({ id }) => id).join(',') })
}

async function readSnapshot(env: Env, path: string) {
  const content = await env.disk.readFile(path)
  if (content === null)
    throw new Error(`${path} is missing: the folder was formatted by something else. Restore it, or start with an empty folder.`)
  return decodeSnapshot(path, content)
}

function logPath(dataDirectory: string): string {
  return `${dataDirectory}/${METADATA_TOPIC}-${METADATA_PARTITION}`
}

function votersPath(dataDirectory: string): string {
  return `${logPath(dataDirectory)}/${snapshotFileName({ endOffset: 0, epoch: 0 })}`
}

function bootstrapPath(dataDirectory: string): string {
  return `${dataDirectory}/bootstrap.checkpoint`
}
