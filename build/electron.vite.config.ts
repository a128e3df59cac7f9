import { defineConfig } from 'electron-vite'
import { mainConfig, preloadConfig } from './vite.main.ts'
import { rendererConfig } from './vite.renderer.ts'

/**
 * `WEIR_BUNDLE=main` leaves the screen out: a cluster without a console does not wait for it. `WEIR_BUNDLE_KEEP=1` leaves earlier bundles in
 * place: processes that run from them may load parts later.
 */
export default defineConfig(() => {
  const main = mainConfig({ emptyOutDir: process.env['WEIR_BUNDLE_KEEP'] !== '1' })
  return process.env['WEIR_BUNDLE'] === 'main' ? { main } : { main, preload: preloadConfig(), renderer: rendererConfig() }
})
