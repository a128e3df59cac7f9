import { onBeforeUnmount, onMounted, ref, type Ref } from 'vue'

/** The size of an element in pixels, followed as it changes; drawings are laid out in it so that text is never scaled. */
export function useElementSize(
  element: Readonly<Ref<HTMLElement | null>>,
  initial = { width: 640, height: 320 },
): Readonly<Ref<{ width: number; height: number }>> {
  const size = ref(initial)
  let observer: ResizeObserver | null = null
  onMounted(() => {
    if (element.value === null) return
    const measure = (): void => {
      if (element.value !== null) size.value = { width: element.value.clientWidth, height: element.value.clientHeight }
    }
    observer = new ResizeObserver(measure)
    observer.observe(element.value)
    measure()
  })
  onBeforeUnmount(() => observer?.disconnect())
  return size
}
