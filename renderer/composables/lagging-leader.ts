import { shallowRef, watch, type ShallowRef } from 'vue'
import type { WorstLag } from '../../broker/contract/overview.ts'
import type { PartitionLanes } from '../../broker/contract/topics.ts'
import { useClustersStore } from '../stores/clusters.ts'
import { useOverviewStore } from '../stores/overview.ts'
import { useLive } from './live.ts'

export type LaggingPartition = WorstLag & { leader: number | null }

const SETTLE_MS = 2_000

/**
 * The most lagging partition together with its leader, always as a pair that was true at one time: what is killed is the leader of what is named.
 * Small lags change places several times a second; what is followed changes at most every two.
 */
export function useLaggingLeader(): ShallowRef<LaggingPartition | null> {
  const clusters = useClustersStore()
  const overview = useOverviewStore()
  const settled = shallowRef<{ clusterId: string; worst: WorstLag } | null>(null)
  const pair = shallowRef<LaggingPartition | null>(null)
  let settledMs = 0

  watch(
    [() => clusters.currentId, () => overview.worstLag] as const,
    ([clusterId, worst], [previousId]) => {
      const isElsewhere = clusterId !== previousId
      if (isElsewhere) pair.value = null
      if (clusterId === null || worst === null) {
        settled.value = null
        pair.value = null
      } else if (isElsewhere || settled.value === null || Date.now() - settledMs >= SETTLE_MS) {
        settledMs = Date.now()
        settled.value = { clusterId, worst }
        pair.value ??= { ...worst, leader: null }
      }
    },
    { immediate: true },
  )

  const lane = useLive<{ clusterId: string; topic: string; from: number }, PartitionLanes>({
    key: () =>
      settled.value === null
        ? null
        : { clusterId: settled.value.clusterId, topic: settled.value.worst.topic, from: settled.value.worst.partition },
    open: (client, key, signal) => client.topics.watchPartitions({ ...key, count: 1 }, { signal }),
  })
  watch([lane.data, settled], ([lanes, now]) => {
    const first = lanes?.lanes[0]
    if (now !== null && first?.partition === now.worst.partition && lanes?.topic === now.worst.topic)
      pair.value = { ...now.worst, leader: first.leader }
  })
  return pair
}
