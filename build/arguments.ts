import { CommanderError } from 'commander'
import { clusterSettings, type ServeFlags } from '../broker/cli/flags.ts'
import { runProgram } from '../broker/cli/program.ts'

/**
 * Looks at the command line's arguments as the command itself does, from its sources. Ends the process when that is all there is to do:
 * after help and the version (exit code 0), and after one line about what cannot be (2). Returns the options given to `serve`, if it is that.
 */
export async function checkArguments(given: readonly string[]): Promise<ServeFlags | null> {
  let found: ServeFlags | null = null
  try {
    await runProgram(given, { up: () => undefined, serve: (flags) => void (found = flags) })
    return found
  } catch (error) {
    if (error instanceof CommanderError) process.exit(error.exitCode === 0 ? 0 : 2)
    throw error
  }
}

/** What the desktop's host is told through its environment (see broker/host/desktop-host.ts). */
export function desktopSettings(flags: ServeFlags): string {
  return JSON.stringify({ ...clusterSettings(flags), demo: flags.demo === true })
}

/** Which of the options ask for a console in the browser, so that no window is opened; `null` when none does. */
export function browserOption(flags: ServeFlags): string | null {
  if (flags.hostPort !== undefined) return '--host-port'
  if (flags.open === true) return '--open'
  return flags.json === true ? '--json' : null
}
