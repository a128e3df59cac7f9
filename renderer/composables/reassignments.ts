import { useToast } from '@nuxt/ui/composables'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import type { LimitChange, MovingPartition, ReassignmentState } from '../../broker/contract/reassignments.ts'
import { host } from '../client/host.ts'
import { plural } from '../lib/format.ts'
import { limitMissed, limitWords } from '../lib/reassignment.ts'
import { useLive, type Live } from './live.ts'
import { useTask, type Task } from './task.ts'

export interface Reassignments {
  state: Live<ReassignmentState>
  /** Of a followed topic, by partition. */
  byPartition: { readonly value: ReadonlyMap<number, MovingPartition> }
  /** By the id of the run, in bytes per second. */
  setLimit: Task<[string, number | null], LimitChange>
  cancel: Task<['run' | 'elsewhere'], { readonly cancelledCount: number }>
  dismiss: Task<[], null>
}

/** What moves in a cluster, of one topic or (`topic` null) of all, for as long as the page lives; how to hold it back, and how to stop it. */
export function useReassignments(clusterId: MaybeRefOrGetter<string | null>, topic: MaybeRefOrGetter<string | null>): Reassignments {
  const toast = useToast()
  const state = useLive<{ clusterId: string; topic: string | null }, ReassignmentState>({
    key: () => {
      const id = toValue(clusterId)
      return id === null ? null : { clusterId: id, topic: toValue(topic) }
    },
    open: (client, input, signal) => client.reassignments.watch(input, { signal }),
  })
  const setLimit = useTask(async (runId: string, throttleBytesPerSecond: number | null) => {
    const change = await host().reassignments.setLimit({ clusterId: toValue(clusterId) ?? '', runId, throttleBytesPerSecond })
    const description = limitMissed(change.missedBrokers) ?? undefined
    toast.add({ title: `Now ${limitWords(throttleBytesPerSecond)}`, description, icon: 'i-lucide-gauge' })
    return change
  })
  const cancel = useTask(async (what: 'run' | 'elsewhere') => {
    const result = await host().reassignments.cancel({ clusterId: toValue(clusterId) ?? '', what })
    toast.add({ title: `${plural(result.cancelledCount, 'partition')} on the way back`, icon: 'i-lucide-undo-2' })
    return result
  })
  return {
    state,
    byPartition: computed(() => new Map((state.data.value?.partitions ?? []).map((one) => [one.partition, one]))),
    setLimit,
    cancel,
    dismiss: useTask(() => host().reassignments.dismiss({ clusterId: toValue(clusterId) ?? '' })),
  }
}
