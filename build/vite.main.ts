import { existsSync, globSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import type { MainViteConfig, PreloadViteConfig } from 'electron-vite'

const root = resolve(import.meta.dirname, '..')

/** Every process Weir starts, by the name of its bundle in out/main. */
const entries: Readonly<Record<string, string>> = {
  main: 'electron/main.ts',
  'host-process': 'electron/host-process.ts',
  weir: 'broker/cli/main.ts',
  'node-main': 'broker/node/main.ts',
  watchdog: 'broker/runtime/watchdog.ts',
}

function inputs(): Record<string, string> {
  const workers = globSync('broker/{host,env,node}/workers/*-worker.ts', { cwd: root })
  const all = [...Object.entries(entries), ...workers.map((path): [string, string] => [basename(path, '.ts'), path])]
  return Object.fromEntries(all.map(([name, path]) => [name, resolve(root, path)]).filter(([, path]) => existsSync(path ?? '')))
}

/**
 * All bundles and their shared chunks lie flat in out/main, so that `import.meta.dirname` is the same folder in each and a
 * process finds the others beside itself. Packages with native code stay outside; everything else is bundled.
 */
export function mainConfig({ emptyOutDir }: { readonly emptyOutDir: boolean }): MainViteConfig {
  return {
    resolve: { conditions: ['node', 'import', 'module', 'default'] },
    build: {
      emptyOutDir,
      sourcemap: true,
      minify: false,
      rolldownOptions: {
        input: inputs(),
        output: { entryFileNames: '[name].js', chunkFileNames: 'chunk-[name]-[hash].js' },
      },
    },
  }
}

/** A sandboxed preload script may only be CommonJS. */
export function preloadConfig(): PreloadViteConfig {
  return {
    build: {
      externalizeDeps: false,
      rolldownOptions: {
        input: { preload: resolve(root, 'electron/preload.ts') },
        output: { format: 'cjs', entryFileNames: '[name].cjs' },
      },
    },
  }
}
