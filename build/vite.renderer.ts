import { defineConfig } from 'vite'
import { rendererConfig } from './renderer.config.ts'

export { rendererConfig }

/** The screen alone, without Electron: `vite --config build/vite.renderer.ts` serves it; `/#/gallery` needs no host. */
export default defineConfig(rendererConfig())
