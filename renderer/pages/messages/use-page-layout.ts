import { reactive, watch } from 'vue'

/** How the page is arranged on this machine: where the record opens, how large, whether the histogram is shown. */
export interface PageLayout {
  side: 'beside' | 'below'
  width: number
  height: number
  histogram: boolean
}

const STORAGE_KEY = 'weir.messages.layout'
const defaults: PageLayout = { side: 'beside', width: 440, height: 300, histogram: true }

export function usePageLayout(): PageLayout {
  const layout = reactive(readLayout())
  watch(layout, (next) => localStorage.setItem(STORAGE_KEY, JSON.stringify(next)))
  return layout
}

function readLayout(): PageLayout {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(STORAGE_KEY) ?? '{}')
    if (typeof stored !== 'object' || stored === null) return { ...defaults }
    const { side, width, height, histogram } = stored as Partial<PageLayout>
    return {
      side: side === 'below' ? 'below' : 'beside',
      width: Number.isFinite(width) ? Number(width) : defaults.width,
      height: Number.isFinite(height) ? Number(height) : defaults.height,
      histogram: histogram !== false,
    }
  } catch {
    return { ...defaults }
  }
}
