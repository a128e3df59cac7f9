/**
 * The `weir` command. Exit codes: 0 ended as asked, 1 something failed, 2 a bad argument (one line on stderr).
 */
import { flushCompileCache } from 'node:module'
import { CommanderError } from 'commander'
import { DiskError } from '../env/types.ts'
import { RuntimeError, type RuntimeErrorCode } from '../runtime/types.ts'
import { runProgram } from './program.ts'
import { untilAskedToEnd } from './until-asked-to-end.ts'

const badArgumentCodes: ReadonlySet<RuntimeErrorCode> = new Set(['INVALID_OPTION', 'TOO_FEW_BROKERS'])

async function main(): Promise<number> {
  try {
    const onReady = (): void => flushCompileCache()
    // Signals are listened to before the command's own code is loaded, which takes a moment.
    await runProgram(process.argv.slice(2), {
      async up(flags) {
        const asked = untilAskedToEnd()
        await (await import('./up.ts')).up(flags, { asked, onReady })
      },
      async serve(flags) {
        const asked = untilAskedToEnd()
        await (await import('./serve.ts')).serve(flags, { asked, onReady })
      },
    })
    return 0
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    process.stderr.write(`weir: ${await sentence(error)}\n`)
    return error instanceof RuntimeError && badArgumentCodes.has(error.code) ? 2 : 1
  }
}

/** One line for what can happen to anybody; a bug of ours keeps its stack trace. */
async function sentence(error: unknown): Promise<string> {
  if (error instanceof RuntimeError || error instanceof DiskError || !(error instanceof Error)) return oneLine(error)
  // Only `serve` and `--demo` load the host, and only here is its error wanted.
  const { HostError } = await import('../host/problem.ts')
  if (!(error instanceof HostError)) return error.stack ?? error.message
  return [oneLine(error), error.data.advice].filter((part) => part !== null).join(' ')
}

function oneLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replaceAll(/\s*\n\s*/g, ' ')
}

process.exitCode = await main()
// Nothing the command started may keep it alive once it has ended what it owns.
process.exit()
