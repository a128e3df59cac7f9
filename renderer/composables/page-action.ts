import { computed, type WritableComputedRef } from 'vue'
import { useRoute, useRouter } from 'vue-router'
import { useClustersStore } from '../stores/clusters.ts'

/** A dialog of a page that has an address: `?do=elect`. Closing it takes the words out of the address again. Shut where nothing may be changed. */
export function usePageAction(name: string, also: readonly string[] = []): { open: WritableComputedRef<boolean> } {
  const route = useRoute()
  const router = useRouter()
  const clusters = useClustersStore()
  return {
    open: computed({
      get: () => route.query['do'] === name && !clusters.isReadOnly,
      set(isOpen) {
        if (isOpen === (route.query['do'] === name)) return
        const rest = Object.fromEntries(Object.entries(route.query).filter(([key]) => key !== 'do' && !also.includes(key)))
        void router.replace({ query: isOpen ? { ...rest, do: name } : rest })
      },
    }),
  }
}
