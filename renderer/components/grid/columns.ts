import { computed, ref, watch, type ComputedRef, type Ref } from 'vue'

/** A column of the data grid. Widths are pixels; a growing column takes the room that is left until someone sizes it by hand. */
export interface GridColumn {
  key: string
  label: string
  width: number
  minWidth?: number
  grow?: boolean
  align?: 'left' | 'right'
  sortable?: boolean
  hint?: string
}

export interface GridSort {
  key: string
  direction: 'asc' | 'desc'
}

export interface ColumnLayout {
  template: ComputedRef<string>
  totalWidth: ComputedRef<number>
  widthOf(column: GridColumn): number
  resize(column: GridColumn, width: number): void
  reset(column: GridColumn): void
}

const WIDTH_MIN = 56
const WIDTH_MAX = 1600
const STORAGE_PREFIX = 'weir.columns.'

/** Column widths of one grid, remembered per grid id on this machine. */
export function useColumnLayout(id: string, columns: Ref<readonly GridColumn[]>): ColumnLayout {
  const sized = ref<Record<string, number>>(readSizes(id))
  watch(sized, (sizes) => localStorage.setItem(STORAGE_PREFIX + id, JSON.stringify(sizes)), { deep: true })

  const widthOf = (column: GridColumn): number => sized.value[column.key] ?? column.width
  const grows = (column: GridColumn): boolean => column.grow === true && sized.value[column.key] === undefined

  return {
    template: computed(() => {
      const tracks = columns.value.map((column) => (grows(column) ? `minmax(${column.width}px, 1fr)` : `${widthOf(column)}px`))
      return columns.value.some(grows) ? tracks.join(' ') : `${tracks.join(' ')} minmax(0, 1fr)`
    }),
    totalWidth: computed(() => columns.value.reduce((sum, column) => sum + widthOf(column), 0)),
    widthOf,
    resize(column, width) {
      sized.value = { ...sized.value, [column.key]: clamp(Math.round(width), column.minWidth ?? WIDTH_MIN, WIDTH_MAX) }
    },
    reset(column) {
      const { [column.key]: _dropped, ...rest } = sized.value
      sized.value = rest
    },
  }
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value))
}

function readSizes(id: string): Record<string, number> {
  const stored = localStorage.getItem(STORAGE_PREFIX + id)
  if (stored === null) return {}
  try {
    const parsed: unknown = JSON.parse(stored)
    if (typeof parsed !== 'object' || parsed === null) return {}
    return Object.fromEntries(Object.entries(parsed).filter((entry): entry is [string, number] => Number.isFinite(entry[1])))
  } catch {
    return {}
  }
}
