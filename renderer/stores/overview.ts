import { defineStore } from 'pinia'
import { computed } from 'vue'
import type { Overview } from '../../broker/contract/overview.ts'
import { useLive } from '../composables/live.ts'
import { useClustersStore } from './clusters.ts'

/** The cluster in view at a glance: followed by the whole window, as the navigation, the palette and several pages speak of it. */
export const useOverviewStore = defineStore('overview', () => {
  const clusters = useClustersStore()
  const live = useLive<string, Overview>({
    key: () => clusters.currentId,
    open: (client, clusterId, signal) => client.overview.watch({ clusterId }, { signal }),
  })
  return {
    overview: live.data,
    status: live.status,
    problem: live.problem,
    loading: live.loading,
    failed: live.failed,
    retry: live.retry,
    bootstrap: computed(() => (live.data.value?.bootstrapServers ?? []).join(',')),
    worstLag: computed(() => live.data.value?.worstLags[0] ?? null),
  }
})
