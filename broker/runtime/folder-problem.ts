import { DiskError } from '../env/types.ts'
import { RuntimeError } from './types.ts'

const reasons: Readonly<Record<string, readonly [what: string, advice: string]>> = {
  EACCES: ['this user may not write there', 'Give yourself the right to, or name another folder with --data-dir.'],
  EPERM: ['this user may not write there', 'Give yourself the right to, or name another folder with --data-dir.'],
  EROFS: ['its file system is read-only', 'Name a folder on another one with --data-dir.'],
  ENOENT: ['it cannot be made there', 'Check the path and who may write to it, or name another folder with --data-dir.'],
  ENOTDIR: ['a part of that path is a file', 'Name another folder with --data-dir.'],
  EEXIST: ['a file has that name', 'Name another folder with --data-dir.'],
  EISDIR: ['a folder lies where a file has to be', 'Move it away, or name another folder with --data-dir.'],
  ENOSPC: ['its disk is full', 'Make room, or name a folder on another disk with --data-dir.'],
  EDQUOT: ["this user's quota on its disk is used up", 'Make room, or name a folder on another disk with --data-dir.'],
  ENAMETOOLONG: ['that path is too long', 'Name a shorter one with --data-dir.'],
  EMFILE: ['too many files are open', 'Raise the limit of open files (ulimit -n).'],
  EIO: ['its disk does not answer as it should', 'Look after the disk, or name a folder on another one with --data-dir.'],
}

/** A failure of the disk while a cluster's folder is opened, as a sentence: what, where and what to do. Anything else stays what it is. */
export function folderProblem(dataDirectory: string, error: unknown): unknown {
  if (!(error instanceof DiskError)) return error
  const [what, advice] = reasons[error.code] ?? [error.message, 'Name another folder with --data-dir.']
  const where = error.path === dataDirectory ? '' : ` at ${error.path}`
  return new RuntimeError('FOLDER_UNUSABLE', `${dataDirectory} cannot hold a cluster: ${what}${where} (${error.code}). ${advice}`, {
    cause: error,
  })
}
