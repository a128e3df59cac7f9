import { defineConfig } from 'vite'
import { rendererConfig } from './renderer.config.ts'

/** The screen alone, without Electron: `vite --config build/vite.renderer.ts` serves it, with `/gallery` for work without a host. */
export default defineConfig(rendererConfig())
