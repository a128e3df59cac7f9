import { defineStore } from 'pinia'
import { ref } from 'vue'
import type { GridSort } from '../components/grid/columns.ts'

/** How the list of groups is looked at: kept while other pages are in view. */
export const useGroupsStore = defineStore('groups', () => {
  const filter = ref('')
  const sort = ref<GridSort>({ key: 'totalLag', direction: 'desc' })
  return { filter, sort }
})
