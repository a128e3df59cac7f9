import { DiskError } from './types.ts'

/** The one place where a platform failure becomes a `DiskError`. */
export function toDiskError(path: string, error: unknown): DiskError {
  if (error instanceof DiskError) return error
  const message = error instanceof Error ? error.message : String(error)
  return new DiskError(platformCode(error), path, message, { cause: error })
}

/** ENOENT, EIO ... of a Node error; UNKNOWN when it carries none. */
export function platformCode(error: unknown): string {
  if (typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string') return error.code
  return 'UNKNOWN'
}
