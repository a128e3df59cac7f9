import { defineStore } from 'pinia'
import { computed, ref, shallowRef, watch } from 'vue'
import { useRoute } from 'vue-router'
import { sampleTopic } from '../../broker/contract/sample.ts'
import { host } from '../client/host.ts'
import { useLaggingLeader } from '../composables/lagging-leader.ts'
import { debounce } from '../lib/debounce.ts'
import type { PaletteContext, PaletteHit } from '../lib/palette.ts'
import { useClustersStore } from './clusters.ts'
import { useNodesStore } from './nodes.ts'
import { useOverviewStore } from './overview.ts'
import { useSampleStore } from './sample.ts'

const HITS_MAX = 100
const TOPICS_MAX = 200
const SEARCH_PAUSE_MS = 60

/** What the palette knows: enough at hand to answer the first key press, and the host's answer for everything else. */
export const useSearchStore = defineStore('search', () => {
  const route = useRoute()
  const clusters = useClustersStore()
  const overview = useOverviewStore()
  const nodes = useNodesStore()
  const sample = useSampleStore()
  const hits = shallowRef<readonly PaletteHit[]>([])
  const busiestTopics = shallowRef<readonly string[]>([])
  const text = ref('')

  const lagging = useLaggingLeader()

  async function find(): Promise<void> {
    const asked = text.value
    try {
      const found = await host().search.find({ text: asked.trim(), count: HITS_MAX })
      if (asked === text.value) hits.value = found
    } catch {
      // The palette keeps what it had; the banner already says that the host is gone.
    }
  }
  const findSoon = debounce(() => void find(), SEARCH_PAUSE_MS)
  watch(text, () => findSoon())

  async function refreshTopics(): Promise<void> {
    const clusterId = clusters.currentId
    if (clusterId === null) return
    try {
      const page = await host().topics.list({ clusterId, sortBy: 'recordsInPerSecond', direction: 'descending', count: TOPICS_MAX })
      if (clusterId === clusters.currentId) busiestTopics.value = page.rows.map((row) => row.name)
    } catch {
      busiestTopics.value = []
    }
  }
  watch(
    () => [clusters.currentId, overview.overview?.counts.topics],
    () => void refreshTopics(),
    { immediate: true },
  )

  const topics = computed(() => {
    const inView = route.params['topic']
    const first = [typeof inView === 'string' ? inView : '', sampleTopic].filter(
      (name) => name !== '' && (name !== sampleTopic || busiestTopics.value.includes(name)),
    )
    return [...new Set([...first, ...busiestTopics.value])]
  })

  const context = computed<PaletteContext>(() => {
    return {
      clusterId: clusters.current?.id ?? null,
      isReadOnly: clusters.isReadOnly,
      isEmbedded: clusters.isEmbedded,
      topics: topics.value,
      brokers: nodes.nodes.filter((node) => node.role === 'broker').map((node) => ({ id: node.id, running: node.pid !== null })),
      brokerIds: (overview.overview?.brokers ?? []).map(({ id }) => id),
      worstLag: lagging.value,
      sampleRunning: sample.isRunning,
      bootstrap: overview.bootstrap,
      hits: hits.value,
    }
  })

  return {
    text,
    topics,
    context,
    /** Brings what the palette knows up to date, when it opens. */
    refresh(): void {
      void find()
      void refreshTopics()
    },
  }
})
