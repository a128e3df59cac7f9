/**
 * The folder of an embedded cluster:
 *
 *   cluster.json        what the cluster is: its id, its voters (written once, when formatted) and its brokers
 *   broker-1/ ...       one per broker, Kafka's own layout
 *   controller-1001/    one per controller, holding its copy of the metadata log
 *   logs/               what the node processes print
 *   owner.lock, owner.json, run.json    who runs it now; see ownership.ts and leftovers.ts
 */
import { join } from 'node:path'
import type { Env } from '../env/types.ts'
import type { Voter } from './node-protocol.ts'
import { RuntimeError, type NodeRole } from './types.ts'

export const FIRST_BROKER_ID = 1
export const FIRST_CONTROLLER_ID = 1001
export const BROKERS_MAX = 100
const formatVersion = 1
const fileName = 'cluster.json'

export interface ClusterManifest {
  readonly formatVersion: number
  readonly clusterId: string
  readonly name: string
  readonly createdMs: number
  readonly voters: readonly Voter[]
  /** Voters run in the processes of the first brokers. */
  readonly combined: boolean
  readonly brokers: readonly number[]
}

export interface FormatOptions {
  readonly brokers: number | undefined
  readonly controllers: number | undefined
  readonly combined: boolean | undefined
  readonly name: string | undefined
}

export function nodeDirectory(dataDirectory: string, role: NodeRole, nodeId: number): string {
  return join(dataDirectory, `${role}-${nodeId}`)
}

/** Formats an empty folder, or reads it and adds the brokers it lacks. To be called by the folder's owner only. */
export async function openDataFolder(env: Env, dataDirectory: string, options: FormatOptions): Promise<ClusterManifest> {
  checkOptions(options)
  await refuseForeignFolder(env, dataDirectory)
  const present = await readManifest(env, dataDirectory)
  const wanted = present === null ? format(env, options) : withBrokers(present, dataDirectory, options)
  if (wanted !== present) {
    await env.disk.writeFileAtomic(join(dataDirectory, fileName), Buffer.from(`${JSON.stringify(wanted, null, 2)}\n`))
  }
  return wanted
}

function checkOptions({ brokers, controllers }: FormatOptions): void {
  if (brokers !== undefined && !(Number.isInteger(brokers) && brokers >= 1 && brokers <= BROKERS_MAX)) {
    throw new RuntimeError('INVALID_OPTION', `A cluster has 1 to ${BROKERS_MAX} brokers, not ${brokers}.`)
  }
  if (controllers !== undefined && ![1, 3, 5].includes(controllers)) {
    throw new RuntimeError('INVALID_OPTION', `A quorum has 1, 3 or 5 voters, not ${controllers}.`)
  }
}

function idsFrom(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => first + index)
}

function format(
  env: Env,
  { brokers = 3, controllers = defaultVoters(brokers), combined = false, name = 'Embedded' }: FormatOptions,
): ClusterManifest {
  if (combined && controllers > brokers) {
    throw new RuntimeError(
      'INVALID_OPTION',
      `${controllers} voters do not fit into the ${brokers === 1 ? 'process of 1 broker' : `processes of ${brokers} brokers`}.`,
    )
  }
  return {
    formatVersion,
    clusterId: env.random.uuid(),
    name,
    createdMs: env.clock.nowMs(),
    voters: idsFrom(FIRST_CONTROLLER_ID, controllers).map((id) => ({ id, directoryId: env.random.uuid() })),
    combined,
    brokers: idsFrom(FIRST_BROKER_ID, brokers),
  }
}

/** Where a broker may die, a controller may too. Fewer than three brokers gain nothing from voters that outlive them. */
function defaultVoters(brokers: number): number {
  return brokers >= 3 ? 3 : 1
}

function withBrokers(present: ClusterManifest, dataDirectory: string, { brokers, controllers, combined }: FormatOptions): ClusterManifest {
  if (combined === true && !present.combined) {
    throw new RuntimeError('INVALID_OPTION', `${dataDirectory} was formatted with controllers in processes of their own, which is fixed.`)
  }
  if (controllers !== undefined && controllers !== present.voters.length) {
    const has = `${present.voters.length} voter${present.voters.length === 1 ? '' : 's'}`
    throw new RuntimeError(
      'INVALID_OPTION',
      `${dataDirectory} was formatted with a quorum of ${has}, which is fixed; start it without naming ${controllers}.`,
    )
  }
  if (brokers === undefined || brokers === present.brokers.length) return present
  if (brokers < present.brokers.length) {
    throw new RuntimeError(
      'TOO_FEW_BROKERS',
      `${dataDirectory} holds ${present.brokers.length} brokers and their data; ${brokers} would leave some out. Start it with ${present.brokers.length} or more.`,
    )
  }
  const added = idsFrom(Math.max(...present.brokers) + 1, brokers - present.brokers.length)
  return { ...present, brokers: [...present.brokers, ...added] }
}

async function readManifest(env: Env, dataDirectory: string): Promise<ClusterManifest | null> {
  const content = await env.disk.readFile(join(dataDirectory, fileName))
  if (content === null) return null
  const manifest = parse(content)
  if (manifest === null)
    throw new RuntimeError('FOLDER_UNUSABLE', `${join(dataDirectory, fileName)} cannot be read as a cluster's description.`)
  if (manifest.formatVersion > formatVersion) {
    throw new RuntimeError(
      'FOLDER_UNUSABLE',
      `${dataDirectory} was written by a newer Weir (format ${manifest.formatVersion}, this one reads ${formatVersion}).`,
    )
  }
  return manifest
}

/** Rejects with FOLDER_UNUSABLE for a folder that holds something and is no cluster's. Writes nothing, so it goes before everything that does. */
export async function refuseForeignFolder(env: Env, dataDirectory: string): Promise<void> {
  if ((await env.disk.stat(join(dataDirectory, fileName))) !== null) return
  const names = (await env.disk.list(dataDirectory)) ?? []
  const foreign = names.find(
    (name) => !name.startsWith('owner.') && !name.startsWith('cluster.json') && name !== 'run.json' && name !== 'logs',
  )
  if (foreign !== undefined) {
    throw new RuntimeError(
      'FOLDER_UNUSABLE',
      `${dataDirectory} is no cluster's folder and not empty (it holds "${foreign}"). Name an empty or a new one.`,
    )
  }
}

function parse(content: Buffer): ClusterManifest | null {
  let value: unknown
  try {
    value = JSON.parse(content.toString('utf8'))
  } catch {
    return null
  }
  return isManifest(value) ? { ...value, combined: value.combined === true } : null
}

function isManifest(value: unknown): value is ClusterManifest {
  if (typeof value !== 'object' || value === null) return false
  const { formatVersion: version, clusterId, name, voters, brokers } = value as Partial<ClusterManifest>
  return (
    typeof version === 'number' &&
    typeof clusterId === 'string' &&
    typeof name === 'string' &&
    Array.isArray(voters) &&
    voters.every((voter: Partial<Voter>) => Number.isInteger(voter.id) && typeof voter.directoryId === 'string') &&
    Array.isArray(brokers) &&
    brokers.length > 0 &&
    brokers.every(Number.isInteger)
  )
}
