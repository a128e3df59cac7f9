import { RuntimeError } from '../runtime/types.ts'
import type { ProgramHooks, ServeFlags } from './flags.ts'

export async function serve(_flags: ServeFlags, _hooks: ProgramHooks): Promise<void> {
  throw new RuntimeError('UNSUPPORTED', 'serve awaits the host')
}
