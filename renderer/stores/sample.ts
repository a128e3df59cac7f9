import { useToast } from '@nuxt/ui/composables'
import { defineStore } from 'pinia'
import { computed } from 'vue'
import type { SampleGroup, SampleSpeed, SampleState } from '../../broker/contract/sample.ts'
import { host } from '../client/host.ts'
import { useLive } from '../composables/live.ts'
import { nextStep, problemOf } from '../lib/problem.ts'
import { useClustersStore } from './clusters.ts'

/** The sample workload of the cluster in view: 200 trucks, two groups that read them. */
export const useSampleStore = defineStore('sample', () => {
  const clusters = useClustersStore()
  const toast = useToast()
  const live = useLive<string, SampleState>({
    key: () => clusters.currentId,
    open: (client, clusterId, signal) => client.sample.watch({ clusterId }, { signal }),
  })

  async function attempt(what: string, work: (clusterId: string) => Promise<unknown>): Promise<void> {
    if (clusters.currentId === null) return
    try {
      await work(clusters.currentId)
    } catch (error) {
      const problem = problemOf(error)
      toast.add({
        title: `Could not ${what}`,
        description: `${problem.message} ${nextStep(problem)}`,
        color: 'error',
        icon: 'i-lucide-triangle-alert',
      })
    }
  }

  return {
    state: live.data,
    problem: live.problem,
    isRunning: computed(() => live.data.value !== null && ['starting', 'backfilling', 'running'].includes(live.data.value.status)),
    start: (speed: SampleSpeed = 1) => attempt('start the sample', (clusterId) => host().sample.start({ clusterId, speed })),
    stop: () => attempt('stop the sample', (clusterId) => host().sample.stop({ clusterId })),
    setSpeed: (speed: SampleSpeed) => attempt('change the speed', (clusterId) => host().sample.setSpeed({ clusterId, speed })),
    setPace: (groupId: SampleGroup, recordsPerSecondMax: number | null) =>
      attempt('change the pace', (clusterId) => host().sample.setConsumerPace({ clusterId, groupId, recordsPerSecondMax })),
  }
})
