import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/**
 * Whether a bundle still matches its sources. Sizes and times are looked at first (milliseconds); only where they differ,
 * as after a checkout, are contents hashed.
 */
export interface Stamp {
  readonly looks: string
  readonly content: string
}

/** Every file named, and every file below a folder named. */
export function sourcesOf(root: string, paths: readonly string[]): readonly string[] {
  return paths.flatMap((path) => filesBelow(root, path)).toSorted()
}

function filesBelow(root: string, path: string): string[] {
  if (!statSync(join(root, path)).isDirectory()) return [path]
  return readdirSync(join(root, path), { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? filesBelow(root, `${path}/${entry.name}`) : [`${path}/${entry.name}`],
  )
}

function looksOf(root: string, files: readonly string[]): string {
  const hash = createHash('sha256')
  for (const file of files) {
    const { size, mtimeMs } = statSync(join(root, file))
    hash.update(`${file}\0${size}\0${mtimeMs}\n`)
  }
  return hash.digest('hex')
}

function contentOf(root: string, files: readonly string[]): string {
  const hash = createHash('sha256')
  for (const file of files) {
    hash
      .update(`${file}\0`)
      .update(readFileSync(join(root, file)))
      .update('\0')
  }
  return hash.digest('hex')
}

/** To be taken before building: a source changed meanwhile then leaves the bundle stale. */
export function takeStamp(root: string, paths: readonly string[]): Stamp {
  const files = sourcesOf(root, paths)
  return { looks: looksOf(root, files), content: contentOf(root, files) }
}

export function writeStamp(path: string, stamp: Stamp): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, JSON.stringify(stamp))
}

export function forgetStamp(path: string): void {
  rmSync(path, { force: true })
}

export function isFresh(root: string, paths: readonly string[], stampPath: string): boolean {
  const stamped = readStamp(stampPath)
  if (stamped === null) return false
  const files = sourcesOf(root, paths)
  const looks = looksOf(root, files)
  if (looks === stamped.looks) return true
  if (contentOf(root, files) !== stamped.content) return false
  writeStamp(stampPath, { looks, content: stamped.content })
  return true
}

function readStamp(path: string): Stamp | null {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Stamp
  } catch {
    // Absent or torn: either way the bundle has to be made.
    return null
  }
}
