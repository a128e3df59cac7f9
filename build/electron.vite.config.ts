import { defineConfig } from 'electron-vite'
import { mainConfig, preloadConfig } from './vite.main.ts'
import { rendererConfig } from './vite.renderer.ts'

/** `WEIR_BUNDLE=main` leaves the screen out: a cluster without a console does not wait for it. */
export default defineConfig(() =>
  process.env['WEIR_BUNDLE'] === 'main'
    ? { main: mainConfig() }
    : { main: mainConfig(), preload: preloadConfig(), renderer: rendererConfig() },
)
