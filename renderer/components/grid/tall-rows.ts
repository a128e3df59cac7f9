import { computed, nextTick, onBeforeUnmount, onMounted, ref, watch, type ComputedRef, type Ref } from 'vue'
import { canvasHeight, isCompressed, offsetMax, offsetShowing, rowsInSight, toOffset, toScrollTop, type TallExtent } from './tall-scroll.ts'

/** The rows of a grid that are in sight, and where they are drawn: any number of rows of one height. */
export interface TallRows {
  items: ComputedRef<{ index: number; y: number }[]>
  height: ComputedRef<number>
  scrollToOffset: (offset: number) => void
  show: (index: number, align: 'nearest' | 'center') => void
}

const OVERSCAN = 8
const VIEW_HEIGHT_FIRST = 600

export function useTallRows(
  scroller: Readonly<Ref<HTMLElement | null>>,
  rows: () => { count: number; rowHeight: number; headerHeight: number },
): TallRows {
  const viewHeight = ref(VIEW_HEIGHT_FIRST)
  const scrollTop = ref(0)
  const offset = ref(0)
  const extent = computed<TallExtent>(() => ({ rowsHeight: rows().count * rows().rowHeight, viewHeight: viewHeight.value }))
  const compressed = computed(() => isCompressed(extent.value))
  let observer: ResizeObserver | null = null

  function measure(): void {
    if (scroller.value !== null) viewHeight.value = Math.max(0, scroller.value.clientHeight - rows().headerHeight)
  }

  /** What was scrolled to by ourselves keeps its exact place among the rows: the page's own is too coarse for it. */
  function onScroll(): void {
    const element = scroller.value
    if (element === null || element.scrollTop === scrollTop.value) return
    scrollTop.value = element.scrollTop
    offset.value = Math.min(offsetMax(extent.value), toOffset(element.scrollTop, extent.value))
  }

  function scrollToOffset(wanted: number): void {
    const element = scroller.value
    if (element === null) return
    const exact = Math.min(offsetMax(extent.value), Math.max(0, wanted))
    element.scrollTop = Math.round(toScrollTop(exact, extent.value))
    scrollTop.value = element.scrollTop
    offset.value = compressed.value ? exact : element.scrollTop
  }

  /** On a compressed page a turn of the wheel would jump over rows. */
  function onWheel(event: WheelEvent): void {
    if (!compressed.value || event.ctrlKey || event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) return
    event.preventDefault()
    const unit =
      event.deltaMode === WheelEvent.DOM_DELTA_LINE
        ? rows().rowHeight
        : event.deltaMode === WheelEvent.DOM_DELTA_PAGE
          ? viewHeight.value
          : 1
    scrollToOffset(offset.value + event.deltaY * unit)
  }

  onMounted(() => {
    const element = scroller.value
    if (element === null) return
    measure()
    observer = new ResizeObserver(measure)
    observer.observe(element)
    element.addEventListener('scroll', onScroll, { passive: true })
    element.addEventListener('wheel', onWheel, { passive: false })
  })
  onBeforeUnmount(() => observer?.disconnect())
  watch(extent, async () => {
    const kept = offset.value
    await nextTick()
    if (compressed.value || kept > offsetMax(extent.value)) scrollToOffset(kept)
  })

  return {
    items: computed(() => {
      const { count, rowHeight } = rows()
      const { first, last } = rowsInSight(offset.value, viewHeight.value, rowHeight, { count, overscan: OVERSCAN })
      const shift = Math.round(scrollTop.value - offset.value)
      return Array.from({ length: Math.max(0, last - first + 1) }, (_unused, place) => ({
        index: first + place,
        y: (first + place) * rowHeight + shift,
      }))
    }),
    height: computed(() => canvasHeight(extent.value)),
    scrollToOffset,
    show: (index, align) => scrollToOffset(offsetShowing(index, align, offset.value, rows().rowHeight, extent.value)),
  }
}
