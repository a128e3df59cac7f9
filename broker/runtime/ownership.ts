/**
 * One owner per data folder. The lock is the operating system's (`env.disk.lock`): it goes with its holder's death. Beside it,
 * `owner.json` says who that is and on which socket the owner answers, for whoever comes second.
 */
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DiskLock, Env } from '../env/types.ts'
import { RuntimeError } from './types.ts'

export interface Owner {
  readonly pid: number
  /** A Unix socket's path or a Windows named pipe, where the owner serves the contract. */
  readonly socketPath: string
  readonly startedMs: number
  /** Once it is known. */
  readonly bootstrapServers?: string
  /** Of the console that the owner serves to browsers: without the token, which is for the person who started it. */
  readonly consoleAddress?: string
}

export interface Ownership extends Owner {
  /** Writes down more about the owner. One call after the other. */
  describe(details: Pick<Owner, 'bootstrapServers' | 'consoleAddress'>): Promise<void>
  release(): Promise<void>
}

const lockName = 'owner.lock'
const ownerName = 'owner.json'
/** The kernel's limit for a Unix socket's path is 107 bytes on Linux and 103 on macOS. */
const socketPathBytesMax = 100

/** Rejects with FOLDER_IN_USE, naming the owner, when another process has the folder. */
export async function claimFolder(env: Env, dataDirectory: string, pid: number): Promise<Ownership> {
  await env.disk.makeDirectory(dataDirectory)
  const lock = await env.disk.lock(join(dataDirectory, lockName))
  if (lock === null) throw inUse(dataDirectory, await readOwner(env, dataDirectory))
  try {
    const socketPath = socketPathFor(env, dataDirectory)
    if (process.platform !== 'win32') await env.disk.remove(socketPath)
    let owner: Owner = { pid, socketPath, startedMs: env.clock.nowMs() }
    const write = (): Promise<void> => env.disk.writeFileAtomic(join(dataDirectory, ownerName), Buffer.from(`${JSON.stringify(owner)}\n`))
    await write()
    return {
      ...owner,
      describe(details) {
        owner = { ...owner, ...details }
        return write()
      },
      release: () => release(env, dataDirectory, lock, socketPath),
    }
  } catch (error) {
    await lock.release()
    throw error
  }
}

/** Who holds the folder now; `null` when nobody does. */
export async function findOwner(env: Env, dataDirectory: string): Promise<Owner | null> {
  if ((await env.disk.stat(join(dataDirectory, lockName))) === null) return null
  const lock = await env.disk.lock(join(dataDirectory, lockName))
  if (lock !== null) {
    await lock.release()
    return null
  }
  return readOwner(env, dataDirectory)
}

function inUse(dataDirectory: string, owner: Owner | null): RuntimeError {
  return new RuntimeError(
    'FOLDER_IN_USE',
    `${dataDirectory} ${holderSentence(owner)} "weir serve" on the same folder opens a console onto it; for another cluster, stop that one or name another folder with --data-dir.`,
  )
}

/** Who runs a folder, to follow its name. */
export function holderSentence(owner: Owner | null): string {
  if (owner === null) return 'is run by another process already.'
  const { pid, startedMs, bootstrapServers, consoleAddress } = owner
  // Swedes write a date and a time as ISO 8601 does, in the local time zone.
  const since = new Date(startedMs).toLocaleString('sv-SE')
  const brokers = bootstrapServers === undefined ? '' : ` Its brokers are at ${bootstrapServers}.`
  const console = consoleAddress === undefined ? '' : ` Its console is at ${consoleAddress}.`
  return `is run by process ${pid} already, since ${since}.${brokers}${console}`
}

async function release(env: Env, dataDirectory: string, lock: DiskLock, socketPath: string): Promise<void> {
  if (process.platform !== 'win32') await env.disk.remove(socketPath)
  await env.disk.remove(join(dataDirectory, ownerName))
  await lock.release()
}

function socketPathFor(env: Env, dataDirectory: string): string {
  const unique = Buffer.from(env.random.bytes(12)).toString('hex')
  if (process.platform === 'win32') return `\\\\.\\pipe\\weir-${unique}`
  const beside = join(dataDirectory, 'owner.sock')
  return Buffer.byteLength(beside) <= socketPathBytesMax ? beside : join(tmpdir(), `weir-${unique}.sock`)
}

/** Whoever has written itself down there last; whether it still lives is not looked at. */
export async function readOwner(env: Env, dataDirectory: string): Promise<Owner | null> {
  const content = await env.disk.readFile(join(dataDirectory, ownerName))
  if (content === null) return null
  try {
    const { pid, socketPath, startedMs, bootstrapServers, consoleAddress } = JSON.parse(content.toString('utf8')) as Partial<Owner>
    if (typeof pid !== 'number' || typeof socketPath !== 'string' || typeof startedMs !== 'number') return null
    return { pid, socketPath, startedMs, bootstrapServers: textOrNothing(bootstrapServers), consoleAddress: textOrNothing(consoleAddress) }
  } catch {
    // Not ours, or damaged: then the owner is unknown, which the caller says.
    return null
  }
}

function textOrNothing(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
