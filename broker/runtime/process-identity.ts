/**
 * Which process a process id meant. Ids are reused, so an id alone never justifies a kill: id and start time together do.
 */
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'

/** When the process was started, in the platform's own notation; `null` when there is no such process. */
export async function startIdentity(pid: number): Promise<string | null> {
  if (process.platform === 'linux') return identityFromProc(pid)
  const answer =
    process.platform === 'win32'
      ? await ask('powershell.exe', ['-NoProfile', '-Command', `(Get-Process -Id ${pid}).StartTime.Ticks`])
      : await ask('ps', ['-o', 'lstart=', '-p', String(pid)])
  return answer === '' ? null : answer
}

async function identityFromProc(pid: number): Promise<string | null> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
    // The second field is the command in parentheses and may hold anything; count from its end. See proc(5), starttime and state.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const isZombie = fields[0] === 'Z' || fields[0] === 'X'
    return isZombie ? null : (fields[19] ?? null)
  } catch {
    // No such process.
    return null
  }
}

function ask(command: string, parameters: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    execFile(command, [...parameters], { timeout: 10_000, windowsHide: true }, (error, stdout) =>
      resolve(error === null ? stdout.trim() : ''),
    )
  })
}

/** SIGKILLs the process if it still is the one meant. Answers whether it was. */
export async function killVerified(pid: number, identity: string): Promise<boolean> {
  if ((await startIdentity(pid)) !== identity) return false
  try {
    process.kill(pid, 'SIGKILL')
    return true
  } catch {
    // It ended between the look and the kill.
    return false
  }
}
