import { useToast } from '@nuxt/ui/composables'
import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import type { NodeView } from '../../broker/contract/nodes.ts'
import { host } from '../client/host.ts'
import { useLive } from '../composables/live.ts'
import { nodeActions, nodeName, type NodeAction } from '../lib/node-actions.ts'
import { nextStep, problemOf } from '../lib/problem.ts'
import { useClustersStore } from './clusters.ts'

/** The processes of an embedded cluster, and what a person does to them. Their state comes from the stream alone, never from the answer to an action. */
export const useNodesStore = defineStore('nodes', () => {
  const clusters = useClustersStore()
  const toast = useToast()
  const live = useLive<string, readonly NodeView[]>({
    key: () => (clusters.isEmbedded ? clusters.currentId : null),
    open: (client, clusterId, signal) => client.nodes.watch({ clusterId }, { signal }),
  })
  const nodes = computed(() => live.data.value ?? [])
  const underWay = ref<ReadonlyMap<number, NodeAction>>(new Map())

  function mark(nodeId: number, action: NodeAction | null): void {
    const next = new Map(underWay.value)
    if (action === null) next.delete(nodeId)
    else next.set(nodeId, action)
    underWay.value = next
  }

  async function act(action: NodeAction, nodeId: number): Promise<boolean> {
    const clusterId = clusters.currentId
    if (clusterId === null) return false
    mark(nodeId, action)
    try {
      await host().nodes[action]({ clusterId, nodeId })
      toast.add({ title: `${nodeName(nodeId)} ${nodeActions[action].done}`, icon: nodeActions[action].icon, duration: 3000 })
      return true
    } catch (error) {
      const problem = problemOf(error)
      toast.add({
        title: `Could not ${action} ${nodeName(nodeId).toLowerCase()}`,
        description: `${problem.message} ${nextStep(problem)}`,
        color: 'error',
        icon: 'i-lucide-triangle-alert',
      })
      return false
    } finally {
      mark(nodeId, null)
    }
  }

  return {
    nodes,
    loading: live.loading,
    failed: live.failed,
    problem: live.problem,
    retry: live.retry,
    underWay,
    act,
    byId: (id: number): NodeView | null => nodes.value.find((node) => node.id === id) ?? null,
  }
})
