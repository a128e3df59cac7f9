/**
 * The `weir` command. Exit codes: 0 ended as asked, 1 something failed, 2 a bad argument (one line on stderr).
 */
import { flushCompileCache } from 'node:module'
import { CommanderError } from 'commander'
import { RuntimeError, type RuntimeErrorCode } from '../runtime/types.ts'
import { createProgram } from './program.ts'

const badArgumentCodes: ReadonlySet<RuntimeErrorCode> = new Set(['INVALID_OPTION', 'TOO_FEW_BROKERS'])

async function main(): Promise<number> {
  try {
    await createProgram({ onReady: () => flushCompileCache() }).parseAsync(process.argv)
    return 0
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    const isExpected = error instanceof RuntimeError
    process.stderr.write(`weir: ${isExpected || !(error instanceof Error) ? oneLine(error) : (error.stack ?? error.message)}\n`)
    return isExpected && badArgumentCodes.has(error.code) ? 2 : 1
  }
}

function oneLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replaceAll(/\s*\n\s*/g, ' ')
}

process.exitCode = await main()
// Nothing the command started may keep it alive once it has ended what it owns.
process.exit()
