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
export function plant({ name, file, passage, replacement }: PlantedBug): () => boolean {
  const target = pathToFileURL(resolve(root, file)).href
  let isPlanted = false
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context)
      if (url !== target) return loaded
      const source = String(loaded.source instanceof Uint8Array ? Buffer.from(loaded.source) : loaded.source)
      const parts = source.split(passage)
      if (parts.length !== 2) {
        throw new Error(`Cannot plant "${name}": ${file} holds the passage ${parts.length - 1} times, it must be once:\n${passage}`)
      }
      isPlanted = true
      return { ...loaded, source: parts.join(replacement) }
    },
  })
  return () => isPlanted
}
