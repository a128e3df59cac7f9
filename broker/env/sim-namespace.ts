/**
 * Names of a simulated disk. Changes of names are a journal, committed in order by syncing a directory; power loss keeps
 * the committed names and a prefix of the rest, as a journaling file system does.
 */
import type { SimulatedInode } from './sim-file.ts'
import type { SimulatedRandom } from './sim-random.ts'

type NameChange =
  | { readonly kind: 'link'; readonly path: string; readonly inode: SimulatedInode }
  | { readonly kind: 'unlink'; readonly path: string }
  | { readonly kind: 'rename'; readonly from: string; readonly to: string }
  | { readonly kind: 'makeDirectory'; readonly path: string }
  | { readonly kind: 'removeTree'; readonly path: string }

class Names {
  files: Map<string, SimulatedInode>
  directories: Set<string>

  constructor(files: Iterable<[string, SimulatedInode]> = [], directories: Iterable<string> = ['/']) {
    this.files = new Map(files)
    this.directories = new Set(directories)
  }

  copy(): Names {
    return new Names(this.files, this.directories)
  }

  apply(change: NameChange): void {
    if (change.kind === 'link') this.files.set(change.path, change.inode)
    else if (change.kind === 'unlink') this.files.delete(change.path)
    else if (change.kind === 'makeDirectory') this.#makeDirectory(change.path)
    else if (change.kind === 'removeTree') this.#removeTree(change.path)
    else this.#rename(change.from, change.to)
  }

  #makeDirectory(path: string): void {
    for (let at = path; !this.directories.has(at); at = parentOf(at)) this.directories.add(at)
  }

  #removeTree(path: string): void {
    this.files.delete(path)
    for (const file of [...this.files.keys()]) if (isBelow(file, path)) this.files.delete(file)
    for (const directory of [...this.directories]) {
      if (directory === path || isBelow(directory, path)) this.directories.delete(directory)
    }
  }

  #rename(from: string, to: string): void {
    const moved = (path: string): string => (path === from ? to : to + path.slice(from.length))
    this.files = new Map(
      [...this.files]
        .filter(([path]) => path !== to)
        .map(([path, inode]) => [path === from || isBelow(path, from) ? moved(path) : path, inode]),
    )
    this.directories = new Set([...this.directories].map((path) => (path === from || isBelow(path, from) ? moved(path) : path)))
  }
}

export class SimulatedNamespace {
  #current = new Names()
  #committed = new Names()
  #journal: NameChange[] = []

  inode(path: string): SimulatedInode | null {
    return this.#current.files.get(path) ?? null
  }

  isDirectory(path: string): boolean {
    return this.#current.directories.has(path)
  }

  exists(path: string): boolean {
    return this.#current.files.has(path) || this.#current.directories.has(path)
  }

  /** Names directly in `directory`, sorted. */
  list(directory: string): string[] {
    const names = new Set<string>()
    for (const path of [...this.#current.files.keys(), ...this.#current.directories]) {
      if (path !== '/' && parentOf(path) === directory) names.add(path.slice(path.lastIndexOf('/') + 1))
    }
    return [...names].sort()
  }

  inodes(): Iterable<SimulatedInode> {
    return this.#current.files.values()
  }

  paths(): string[] {
    return [...this.#current.files.keys()].sort()
  }

  change(change: NameChange): void {
    this.#journal.push(change)
    this.#current.apply(change)
  }

  commit(): void {
    for (const change of this.#journal.splice(0)) this.#committed.apply(change)
  }

  losePower(random: SimulatedRandom): void {
    const keptCount = random.below(this.#journal.length + 1)
    for (const change of this.#journal.splice(0).slice(0, keptCount)) this.#committed.apply(change)
    this.#current = this.#committed.copy()
  }
}

export function parentOf(path: string): string {
  const slash = path.lastIndexOf('/')
  return slash <= 0 ? '/' : path.slice(0, slash)
}

function isBelow(path: string, directory: string): boolean {
  return path.startsWith(directory === '/' ? '/' : `${directory}/`)
}
