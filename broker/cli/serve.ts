import { RuntimeError } from '../runtime/types.ts'
import type { ServeFlags } from './flags.ts'
import type { ProgramHooks } from './program.ts'

export async function serve(_flags: ServeFlags, _hooks: ProgramHooks): Promise<void> {
  throw new RuntimeError('UNSUPPORTED', 'serve awaits the host')
}
