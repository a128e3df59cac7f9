import { defineStore } from 'pinia'
import { ref } from 'vue'
import type { GridSort } from '../components/grid/columns.ts'

/** How the list of topics is looked at: kept while other pages are in view. */
export const useTopicsStore = defineStore('topics', () => {
  const filter = ref('')
  /** Only those with a partition that is offline or under-replicated. */
  const onlyAffected = ref(false)
  const sort = ref<GridSort>({ key: 'name', direction: 'asc' })
  return { filter, onlyAffected, sort }
})
