import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'

const root = resolve(import.meta.dirname, '../..')
const readyWithinMs = 90_000
const stderrBytesMax = 64 * 1024

export interface ReadyLine {
  /** `attached`: a console onto a cluster that another process runs, which has no brokers of its own. */
  readonly event: 'ready' | 'attached'
  readonly pid: number
  readonly bootstrapServers: string
  readonly brokers: readonly { readonly id: number; readonly pid: number; readonly port: number }[]
  readonly readyMs: number
  readonly advertised?: readonly string[]
  /** `serve` only. */
  readonly url?: string
  /** Attached only. */
  readonly ownerPid?: number
}

export interface WeirProcess extends ReadyLine {
  readonly child: ChildProcess
  /** Everything on stdout so far, line by line; exactly one. */
  readonly lines: readonly string[]
  stderr(): string
  /** Signals weir's own process and resolves with its exit code, `null` when a signal ended it. */
  end(signal: NodeJS.Signals): Promise<number | null>
  /** Ends it in order; whatever state it is in, nothing of it is left when this resolves. */
  stop(): Promise<void>
}

export interface WeirOptions {
  readonly command?: 'up' | 'serve'
  readonly env?: NodeJS.ProcessEnv
}

/**
 * Runs `weir up` from the checkout's bundle, as `npm run -s weir -- up` does, and waits for its one line of JSON. On
 * free ports unless `--port` is among the parameters.
 */
export async function startWeir(parameters: readonly string[] = ['--ephemeral'], options: WeirOptions = {}): Promise<WeirProcess> {
  const ports = parameters.includes('--port') ? [] : ['--port', '0']
  const child = spawn(process.execPath, [join(root, 'build/weir.mjs'), options.command ?? 'up', ...parameters, ...ports, '--json'], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...options.env },
  })
  let problems = ''
  child.stderr.on('data', (chunk: Buffer) => {
    problems = (problems + chunk.toString('utf8')).slice(-stderrBytesMax)
  })
  const lines: string[] = []
  const exited = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal)
    const [code] = await exited
    return code
  }
  try {
    const ready = JSON.parse(await firstLine(child, lines, exited, () => problems)) as ReadyLine
    const stop = async (): Promise<void> => void (await end('SIGTERM'))
    return { ...ready, child, lines, stderr: () => problems, end, stop }
  } catch (error) {
    child.kill('SIGKILL')
    throw error
  }
}

async function firstLine(
  child: ChildProcess,
  lines: string[],
  exited: Promise<[number | null, unknown]>,
  problems: () => string,
): Promise<string> {
  const { promise, resolve: found, reject } = Promise.withResolvers<string>()
  if (child.stdout === null) throw new Error('weir has no stdout')
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line)
    found(line)
  })
  const timer = setTimeout(() => reject(new Error(`weir was not ready after ${readyWithinMs} ms: ${problems()}`)), readyWithinMs)
  void exited.then(([code]) => reject(new Error(`weir ended with ${code} before it was ready: ${problems()}`)))
  return promise.finally(() => clearTimeout(timer))
}
