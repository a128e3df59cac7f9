/**
 * Notices that npm has died. Npm passes signals on, but not its own death, and between it and this process there usually is a shell that
 * lives on; so both are watched.
 */
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'

const pollMs = 300

/** Does nothing unless npm started this process. Calls back once. */
export async function watchNpm(onVanished: () => void): Promise<void> {
  if (process.env['npm_lifecycle_event'] === undefined) return
  const parent = process.ppid
  const watched = [parent, await npmBehindShell(parent)].filter((pid) => pid !== null)
  const timer = setInterval(() => {
    if (process.ppid === parent && watched.every(isAlive)) return
    clearInterval(timer)
    onVanished()
  }, pollMs)
  timer.unref()
}

/** The parent's parent, when the parent is the shell that npm runs a script with. */
async function npmBehindShell(parent: number): Promise<number | null> {
  const line =
    process.platform === 'linux' ? await describeFromProc(parent) : process.platform === 'win32' ? null : await describeWithPs(parent)
  if (line === null || !/^\S*sh\s+-c\s/.test(line.command)) return null
  return line.parent > 1 ? line.parent : null
}

interface Described {
  readonly parent: number
  readonly command: string
}

async function describeFromProc(pid: number): Promise<Described | null> {
  try {
    const [stat, command] = await Promise.all([readFile(`/proc/${pid}/stat`, 'utf8'), readFile(`/proc/${pid}/cmdline`, 'utf8')])
    // The second field is the command's name in parentheses and may hold anything; count from its end. See proc(5), ppid.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return { parent: Number(fields[1]), command: command.replaceAll('\0', ' ') }
  } catch {
    // It has just ended; watching the parent says so.
    return null
  }
}

function describeWithPs(pid: number): Promise<Described | null> {
  return new Promise((resolve) => {
    execFile('ps', ['-o', 'ppid=,args=', '-p', String(pid)], (error, stdout) => {
      const match = /^\s*(\d+)\s+(.*)$/m.exec(stdout)
      resolve(error !== null || match === null ? null : { parent: Number(match[1]), command: match[2] ?? '' })
    })
  })
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
