import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import { useRoute } from 'vue-router'
import type { ClusterView } from '../../broker/contract/clusters.ts'
import { useHost } from '../client/host.ts'
import { useLive } from '../composables/live.ts'
import { changeBlocker } from '../lib/cluster-state.ts'
import { useSettingsStore } from './settings.ts'

/** The clusters the console knows, and the one in view: that of the address, or the last one on pages that belong to none. */
export const useClustersStore = defineStore('clusters', () => {
  const route = useRoute()
  const { state: hostState } = useHost()
  const settings = useSettingsStore()
  const live = useLive<true, readonly ClusterView[]>({
    key: true,
    open: (client, _key, signal) => client.clusters.watch(undefined, { signal }),
  })
  const lastId = ref<string | null>(localStorage.getItem('weir.cluster'))

  const all = computed(() => live.data.value ?? [])
  const currentId = computed(() => {
    const param = route.params['cluster']
    if (typeof param === 'string' && param !== '') return param
    return all.value.find((cluster) => cluster.id === (lastId.value ?? settings.settings.lastClusterId))?.id ?? all.value[0]?.id ?? null
  })
  const current = computed(() => all.value.find((cluster) => cluster.id === currentId.value) ?? null)

  return {
    all,
    current,
    currentId,
    loading: live.loading,
    problem: live.problem,
    /** Remembered for the next start and for the pages without a cluster in their address. */
    remember(id: string): void {
      lastId.value = id
      localStorage.setItem('weir.cluster', id)
      if (settings.isKnown && settings.settings.lastClusterId !== id) void settings.change({ lastClusterId: id })
    },
    byId: (id: string): ClusterView | null => all.value.find((cluster) => cluster.id === id) ?? null,
    /** Nothing can be read or done until the host is back: what is shown is the last that was heard. */
    isHostLost: computed(() => hostState.value === 'disconnected'),
    isUnreachable: computed(() => current.value?.state.status === 'unreachable'),
    isReadOnly: computed(() => current.value?.readOnly === true),
    /** Why the cluster in view cannot be changed now; null when it can. */
    changeBlocker: computed(() => changeBlocker(hostState.value === 'disconnected', current.value)),
    isEmbedded: computed(() => current.value?.kind === 'embedded'),
  }
})
