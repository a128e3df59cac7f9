/**
 * `run.json` names the processes of the present run, each by id and start time. An owner that ends in order removes it;
 * if it is there at a start, the last owner was killed, and whatever of its processes still lives is ended first.
 */
import { join } from 'node:path'
import type { Env } from '../env/types.ts'
import { killVerified, startIdentity } from './process-identity.ts'

interface RunningProcess {
  readonly nodeId: number
  readonly pid: number
  readonly identity: string
}

const fileName = 'run.json'
const goneWithinMs = 5_000

/** Returns the node ids whose processes had to be ended. Waits for each 5 s at most, and no longer than until `signal` says so. */
export async function endLeftovers(env: Env, dataDirectory: string, signal?: AbortSignal): Promise<readonly number[]> {
  const left = await readRun(env, dataDirectory)
  const ended: number[] = []
  for (const { nodeId, pid, identity } of left) {
    if (await killVerified(pid, identity)) {
      await untilGone(env, { pid, identity }, signal)
      ended.push(nodeId)
    }
  }
  await env.disk.remove(join(dataDirectory, fileName))
  return ended
}

async function untilGone(env: Env, { pid, identity }: Omit<RunningProcess, 'nodeId'>, signal: AbortSignal | undefined): Promise<void> {
  const deadlineMs = env.clock.monotonicMs() + goneWithinMs
  while ((await startIdentity(pid)) === identity && env.clock.monotonicMs() < deadlineMs) {
    signal?.throwIfAborted()
    await new Promise<void>((resolve) => void env.timers.after(10, resolve))
  }
}

export interface RunRecord {
  /** Called at every launch and exit; writes are done one after the other, the latest wins. */
  update(processes: readonly { readonly nodeId: number; readonly pid: number }[]): void
  remove(): Promise<void>
}

export function createRunRecord(env: Env, dataDirectory: string): RunRecord {
  const path = join(dataDirectory, fileName)
  let latest: readonly { readonly nodeId: number; readonly pid: number }[] | null = null
  let writing: Promise<void> | null = null

  const writeLatest = async (): Promise<void> => {
    while (latest !== null) {
      const processes = latest
      latest = null
      try {
        await env.disk.writeFileAtomic(path, Buffer.from(JSON.stringify(await identified(processes))))
      } catch (error) {
        // The cluster runs without it; only the clean-up after a kill would have to do without.
        env.log.write('warn', 'Could not write down the running processes', { path, error })
      }
    }
    writing = null
  }

  return {
    update(processes) {
      latest = processes
      writing ??= writeLatest()
    },
    async remove() {
      latest = null
      await writing
      await env.disk.remove(path)
    },
  }
}

async function identified(processes: readonly { readonly nodeId: number; readonly pid: number }[]): Promise<RunningProcess[]> {
  const found = await Promise.all(
    processes.map(async ({ nodeId, pid }) => {
      const identity = await startIdentity(pid)
      return identity === null ? null : { nodeId, pid, identity }
    }),
  )
  return found.filter((one) => one !== null)
}

async function readRun(env: Env, dataDirectory: string): Promise<readonly RunningProcess[]> {
  const content = await env.disk.readFile(join(dataDirectory, fileName))
  if (content === null) return []
  try {
    const list = JSON.parse(content.toString('utf8')) as unknown
    return Array.isArray(list) ? list.filter(isRunningProcess) : []
  } catch {
    // Torn by the kill: then nothing in it can be trusted, and nothing is ended on its word.
    return []
  }
}

function isRunningProcess(value: unknown): value is RunningProcess {
  if (typeof value !== 'object' || value === null) return false
  const { nodeId, pid, identity } = value as Partial<RunningProcess>
  return Number.isInteger(nodeId) && Number.isInteger(pid) && (pid ?? 0) > 1 && typeof identity === 'string' && identity !== ''
}
