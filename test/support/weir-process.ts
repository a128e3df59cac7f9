import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'

const root = resolve(import.meta.dirname, '../..')
const readyWithinMs = 90_000

export interface ReadyLine {
  readonly event: 'ready'
  readonly pid: number
  readonly bootstrapServers: string
  readonly brokers: readonly { readonly id: number; readonly pid: number; readonly port: number }[]
  readonly readyMs: number
  /** `serve` only. */
  readonly url?: string
}

export interface WeirProcess {
  readonly ready: ReadyLine
  readonly child: ChildProcess
  /** Everything on stdout, line by line; with `--json` exactly one. */
  readonly lines: readonly string[]
  stderr(): string
  /** Signals weir's own process and resolves with its exit code, `null` when a signal ended it. */
  end(signal?: NodeJS.Signals): Promise<number | null>
}

/** Runs `weir` from the checkout's bundle, as `npm run -s weir --` does, and waits for its one line of JSON. */
export async function startWeir(parameters: readonly string[], options: { readonly env?: NodeJS.ProcessEnv } = {}): Promise<WeirProcess> {
  const child = spawn(process.execPath, [join(root, 'build/weir.mjs'), ...parameters, '--json'], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...options.env },
  })
  let problems = ''
  child.stderr.on('data', (chunk: Buffer) => {
    problems = (problems + chunk.toString('utf8')).slice(-64 * 1024)
  })
  const lines: string[] = []
  const exited = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>
  const reader = createInterface({ input: child.stdout })
  const firstLine = new Promise<string>((found) => {
    reader.on('line', (line) => {
      lines.push(line)
      if (lines.length === 1) found(line)
    })
  })
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`weir was not ready after ${readyWithinMs} ms: ${problems}`)), readyWithinMs)
  })
  const gone = exited.then(([code]) => Promise.reject(new Error(`weir ended with ${code} before it was ready: ${problems}`)))
  gone.catch(() => undefined)
  try {
    const ready = JSON.parse(await Promise.race([firstLine, late, gone])) as ReadyLine
    return {
      ready,
      child,
      lines,
      stderr: () => problems,
      async end(signal = 'SIGTERM') {
        if (child.exitCode === null && child.signalCode === null) process.kill(ready.pid, signal)
        const [code] = await exited
        return code
      },
    }
  } catch (error) {
    child.kill('SIGKILL')
    throw error
  } finally {
    clearTimeout(timer)
  }
}
