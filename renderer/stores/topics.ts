import { defineStore } from 'pinia'
import { ref } from 'vue'
import type { GridSort } from '../components/grid/columns.ts'

/** How the list of topics is looked at: kept while other pages are in view. */
export const useTopicsStore = defineStore('topics', () => {
  const filter = ref('')
  const sort = ref<GridSort>({ key: 'name', direction: 'asc' })
  return { filter, sort }
})
