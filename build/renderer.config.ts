import { fileURLToPath } from 'node:url'
import ui from '@nuxt/ui/vite'
import vue from '@vitejs/plugin-vue'
import type { UserConfig } from 'vite'

const projectRoot = fileURLToPath(new URL('..', import.meta.url))

/**
 * How the screen is built, for electron-vite and for plain Vite alike: one config, so the window and the browser tab run the same files.
 * Icons are bundled by scanning the sources; components are imported by name, so nothing is generated into the tree.
 */
export function rendererConfig(): UserConfig {
  return {
    root: `${projectRoot}renderer`,
    base: './',
    plugins: [
      vue(),
      ui({
        root: projectRoot,
        autoImport: false,
        components: false,
        colorMode: false,
        dts: false,
        icon: { clientBundle: { scan: { globInclude: ['renderer/**/*.{vue,ts}'], globExclude: ['node_modules', 'out'] }, sizeLimitKb: 0 } },
        ui: {
          colors: { primary: 'weir', neutral: 'zinc', success: 'emerald', warning: 'amber', error: 'red', info: 'weir' },
          button: {
            slots: { base: 'font-medium cursor-pointer disabled:opacity-50 aria-disabled:opacity-50' },
            defaultVariants: { size: 'sm', color: 'neutral', variant: 'subtle' },
          },
          input: { slots: { root: 'w-full' }, defaultVariants: { size: 'sm' } },
          textarea: { slots: { root: 'w-full' }, defaultVariants: { size: 'sm' } },
          select: { slots: { base: 'w-full' }, defaultVariants: { size: 'sm' } },
          selectMenu: { slots: { base: 'w-full' }, defaultVariants: { size: 'sm' } },
          inputNumber: { defaultVariants: { size: 'sm' } },
          switch: { defaultVariants: { size: 'sm' } },
          checkbox: { defaultVariants: { size: 'sm' } },
          dropdownMenu: { defaultVariants: { size: 'sm' } },
          tooltip: { slots: { content: 'h-auto py-1 max-w-80', text: 'whitespace-normal' } },
          modal: {
            slots: {
              close: 'top-2.5 end-2.5',
              header: 'px-4 py-3 sm:px-4 min-h-0',
              body: 'p-4 sm:p-4',
              footer: 'px-4 py-3 sm:px-4 justify-end',
            },
            variants: { overlay: { true: { overlay: 'bg-black/50' } } },
          },
          slideover: {
            slots: {
              overlay: 'bg-black/50',
              close: 'top-2.5 end-2.5',
              header: 'px-4 py-3 sm:px-4 min-h-0',
              body: 'p-4 sm:p-4',
              footer: 'px-4 py-3 sm:px-4',
            },
          },
        },
      }),
    ],
    build: {
      outDir: `${projectRoot}out/renderer`,
      emptyOutDir: true,
      minify: true,
      assetsInlineLimit: 0,
      target: 'chrome140',
      modulePreload: { polyfill: false },
      reportCompressedSize: false,
      chunkSizeWarningLimit: 1500,
      rolldownOptions: { input: `${projectRoot}renderer/index.html` },
    },
  }
}
