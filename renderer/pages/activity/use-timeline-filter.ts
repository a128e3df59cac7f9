import { computed, ref, type ComputedRef, type Ref, type WritableComputedRef } from 'vue'
import { useRoute, useRouter } from 'vue-router'
import { timelineLanes, type TimelineLane } from '../../../broker/contract/timeline.ts'

export interface TimelineFilterState {
  /** Empty: all. */
  lanes: ComputedRef<TimelineLane[]>
  topic: WritableComputedRef<string>
  brokerId: WritableComputedRef<number | null>
  thisCluster: WritableComputedRef<boolean>
  /** A part of the axis that was chosen; `null`: all there is. */
  range: Ref<{ fromMs: number; toMs: number } | null>
  isFiltered: ComputedRef<boolean>
  toggleLane: (lane: TimelineLane) => void
  clear: () => void
}

/** What the timeline is narrowed to. It is part of the address, save for the moment chosen on the axis. */
export function useTimelineFilter(): TimelineFilterState {
  const route = useRoute()
  const router = useRouter()
  const range = ref<{ fromMs: number; toMs: number } | null>(null)

  const textOf = (name: string): string => (typeof route.query[name] === 'string' ? route.query[name] : '')
  const change = (values: Record<string, string | undefined>): void => void router.replace({ query: { ...route.query, ...values } })

  const lanes = computed(() => {
    const named = textOf('kinds').split(',')
    return timelineLanes.filter((lane) => named.includes(lane))
  })
  const topic = computed({
    get: () => (/^[A-Za-z0-9._-]{1,249}$/.test(textOf('topic')) ? textOf('topic') : ''),
    set: (name) => change({ topic: name === '' ? undefined : name }),
  })
  const brokerId = computed({
    get: () => (/^\d{1,9}$/.test(textOf('broker')) ? Number(textOf('broker')) : null),
    set: (id) => change({ broker: id === null ? undefined : String(id) }),
  })
  const thisCluster = computed({
    get: () => textOf('cluster') === 'this',
    set: (only) => change({ cluster: only ? 'this' : undefined }),
  })
  return {
    lanes,
    topic,
    brokerId,
    thisCluster,
    range,
    isFiltered: computed(
      () => lanes.value.length > 0 || topic.value !== '' || brokerId.value !== null || thisCluster.value || range.value !== null,
    ),
    toggleLane(lane) {
      const next = lanes.value.includes(lane) ? lanes.value.filter((other) => other !== lane) : [...lanes.value, lane]
      change({ kinds: next.length === 0 || next.length === timelineLanes.length ? undefined : next.join(',') })
    },
    clear() {
      range.value = null
      change({ kinds: undefined, topic: undefined, broker: undefined, cluster: undefined })
    },
  }
}
