import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

/** A cluster started as a user starts it: `npm run -s weir -- up --json`. */
export interface WeirProcess {
  readonly pid: number
  readonly bootstrapServers: string
  readonly brokers: readonly { readonly id: number; readonly pid: number; readonly port: number }[]
  readonly readyMs: number
  /** SIGTERM to the pid weir names; resolves with the exit code of the command. */
  stop(): Promise<number | null>
  readonly exited: Promise<number | null>
}

const PROJECT = new URL('../../', import.meta.url)

/** Rejects with everything weir said when it ends before it is ready. */
export async function startWeir(args: readonly string[] = ['--ephemeral']): Promise<WeirProcess> {
  const child = spawn('npm', ['run', '-s', 'weir', '--', 'up', '--json', ...args], { cwd: PROJECT, stdio: ['ignore', 'pipe', 'pipe'] })
  const said: string[] = []
  child.stderr.setEncoding('utf8').on('data', (text: string) => said.push(text))
  const exited = exitCode(child)
  const line = await Promise.race([firstLine(child), exited.then(() => null)])
  if (line === null) throw new Error(`weir ended before it was ready:\n${said.join('')}`)
  const ready = JSON.parse(line)
  return {
    pid: ready.pid,
    bootstrapServers: ready.bootstrapServers,
    brokers: ready.brokers,
    readyMs: ready.readyMs,
    exited,
    async stop() {
      process.kill(ready.pid, 'SIGTERM')
      return exited
    },
  }
}

async function firstLine(child: ChildProcess): Promise<string> {
  const lines = createInterface({ input: child.stdout! })
  const [line] = await once(lines, 'line')
  child.stdout!.resume()
  return line as string
}

async function exitCode(child: ChildProcess): Promise<number | null> {
  const [code] = await once(child, 'exit')
  return code as number | null
}
