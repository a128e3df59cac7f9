/** Plants a bug into a source file as it is loaded: before anything that imports the file. */
import { registerHooks } from 'node:module'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { PlantedBug } from './planted-bugs.ts'

const root = resolve(import.meta.dirname, '../../..')

/**
 * Returns what tells whether the file has been loaded since. Loading throws when the passage is not there exactly once: the
 * sources have moved on, and the bug has to follow them.
 */
export function plant(bug: PlantedBug): () => boolean {
  const target = pathToFileURL(resolve(root, bug.file)).href
  let isPlanted = false
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context)
      if (url !== target) return loaded
      const source = withBug(sourceText(loaded.source), bug)
      isPlanted = true
      return { ...loaded, source }
    },
  })
  return () => isPlanted
}

export function withBug(source: string, { name, file, passage, replacement }: PlantedBug): string {
  const parts = source.split(passage)
  if (parts.length === 2) return parts.join(replacement)
  throw new Error(`Cannot plant "${name}": ${file} holds this passage ${parts.length - 1} times, it must be once:\n${passage}`)
}

function sourceText(source: string | ArrayBuffer | ArrayBufferView | null | undefined): string {
  if (typeof source === 'string') return source
  if (source === null || source === undefined) throw new Error('a source without text')
  return new TextDecoder().decode(source)
}
