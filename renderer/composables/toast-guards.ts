import { useToast } from '@nuxt/ui/composables'
import { nextTick, onBeforeUnmount, watch } from 'vue'

/**
 * Around open toasts the library puts two empty elements that catch the focus and are hidden from screen readers, which the
 * rules forbid. Out of the tab order they still pass the focus on when the library gives it to them, and toasts are reached as before.
 */
export function useToastGuards(): void {
  const { toasts } = useToast()
  let observer: MutationObserver | null = null

  watch(
    () => toasts.value.length > 0,
    async (hasToasts) => {
      if (!hasToasts || observer !== null) return
      await nextTick()
      const region = document.querySelector('ol[data-slot="viewport"]')?.parentElement
      if (!region || observer !== null) return
      observer = new MutationObserver(() => tame(region))
      observer.observe(region, { childList: true })
      tame(region)
    },
  )
  onBeforeUnmount(() => observer?.disconnect())
}

function tame(region: Element): void {
  for (const guard of region.querySelectorAll(':scope > [aria-hidden="true"][tabindex="0"]')) guard.setAttribute('tabindex', '-1')
}
