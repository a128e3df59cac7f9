/**
 * A partition folder as a crash left it, made tidy before it is read: what was taken out of the log goes, unfinished
 * compaction output goes, finished output (`.swap`) takes the place of what it replaces.
 */
import type { Env } from '../env/types.ts'
import { lastOffset } from '../wire/record-batch.ts'
import {
  cleanedSuffix,
  deletedSuffix,
  joinPath,
  logSuffix,
  offsetFileName,
  parseOffsetFileName,
  segmentSuffixes,
  snapshotSuffix,
  swapSuffix,
} from './log-files.ts'
import { scanBatches } from './segment-scan.ts'

const worthless = [deletedSuffix, cleanedSuffix, '.tmp']
const unfinished = [...worthless, swapSuffix]

export interface FolderContent {
  /** First offsets of segments, ascending. */
  readonly segmentBases: readonly number[]
  readonly snapshotOffsets: readonly number[]
}

export async function repairFolder(env: Pick<Env, 'disk' | 'log'>, directory: string): Promise<FolderContent> {
  const names = (await env.disk.list(directory)) ?? []
  const isTidy = names.every((name) => !unfinished.some((suffix) => name.endsWith(suffix)))
  if (isTidy) return tidyContent(env, directory, names)
  const leftovers = names.filter((name) => worthless.some((suffix) => name.endsWith(suffix)))
  for (const name of leftovers) await env.disk.remove(joinPath(directory, name))
  for (const name of names.filter((candidate) => candidate.endsWith(logSuffix + swapSuffix))) {
    await finishSwap(env, directory, parseOffsetFileName(name)?.offset ?? -1)
  }
  return tidyContent(env, directory, (await env.disk.list(directory)) ?? [])
}

async function tidyContent(env: Pick<Env, 'disk'>, directory: string, names: readonly string[]): Promise<FolderContent> {
  const content = contentOf(names)
  await removeOrphans(env, directory, names, new Set(content.segmentBases))
  return content
}

/** Parts of a segment whose log file is not there: a rename of several files was interrupted. */
async function removeOrphans(
  { disk }: Pick<Env, 'disk'>,
  directory: string,
  names: readonly string[],
  bases: ReadonlySet<number>,
): Promise<void> {
  const indexSuffixes: readonly string[] = segmentSuffixes.filter((suffix) => suffix !== logSuffix)
  for (const name of names) {
    const parsed = parseOffsetFileName(name)
    if (parsed === null) continue
    const isOrphan = indexSuffixes.includes(parsed.suffix) && !bases.has(parsed.offset)
    if (isOrphan || name.endsWith(swapSuffix)) await disk.remove(joinPath(directory, name))
  }
}

async function finishSwap(env: Pick<Env, 'disk' | 'log'>, directory: string, baseOffset: number): Promise<void> {
  if (baseOffset < 0) return
  const { disk, log } = env
  const end = await swapEnd(env, directory, baseOffset)
  const content = contentOf((await disk.list(directory)) ?? [])
  const replaced = content.segmentBases.filter((base) => base >= baseOffset && base < Math.max(end.offset, baseOffset + 1))
  if (end.problem !== null && replaced.includes(baseOffset)) {
    log.write('warn', 'compaction output does not read; keeping the segments it was made from', { directory, baseOffset })
    for (const suffix of segmentSuffixes) {
      await disk.remove(joinPath(directory, offsetFileName(baseOffset, suffix) + swapSuffix))
    }
    return
  }
  for (const base of replaced) {
    for (const suffix of segmentSuffixes) await disk.remove(joinPath(directory, offsetFileName(base, suffix)))
  }
  for (const suffix of segmentSuffixes.toReversed()) {
    const path = joinPath(directory, offsetFileName(baseOffset, suffix))
    if ((await disk.stat(path + swapSuffix)) !== null) await disk.rename(path + swapSuffix, path)
    // An index of the old segment must not speak for the new one.
    else await disk.remove(path)
  }
  await disk.syncDirectory(directory)
  log.write('info', 'finished a compaction that was interrupted', { directory, baseOffset })
}

async function swapEnd(
  { disk }: Pick<Env, 'disk'>,
  directory: string,
  baseOffset: number,
): Promise<{ offset: number; problem: string | null }> {
  const file = await disk.open(joinPath(directory, offsetFileName(baseOffset, logSuffix) + swapSuffix))
  try {
    let offset = baseOffset
    const toPosition = await file.bytes()
    const range = { fromPosition: 0, toPosition, minimumOffset: baseOffset, maximumOffset: Infinity, checkCrc: true }
    const { problem } = await scanBatches(file, range, ({ header }) => {
      offset = lastOffset(header) + 1
    })
    return { offset, problem }
  } finally {
    await file.close()
  }
}

function contentOf(names: readonly string[]): FolderContent {
  const segmentBases: number[] = []
  const snapshotOffsets: number[] = []
  for (const name of names) {
    const parsed = parseOffsetFileName(name)
    if (parsed?.suffix === logSuffix) segmentBases.push(parsed.offset)
    else if (parsed?.suffix === snapshotSuffix) snapshotOffsets.push(parsed.offset)
  }
  return { segmentBases: segmentBases.sort((a, b) => a - b), snapshotOffsets }
}
