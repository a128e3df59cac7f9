import { useRouter } from 'vue-router'
import type { Intent } from '../lib/palette.ts'
import { toAddress } from '../lib/message-address.ts'
import { useClustersStore } from '../stores/clusters.ts'
import { useNodesStore } from '../stores/nodes.ts'
import { useOverviewStore } from '../stores/overview.ts'
import { useSampleStore } from '../stores/sample.ts'
import { useSettingsStore } from '../stores/settings.ts'
import { useWindowStore } from '../stores/window.ts'
import { useClipboard } from './clipboard.ts'
import { useTheme } from './theme.ts'

/** Does what the palette or a shortcut asks for. */
export function useIntents(): { carryOut: (intent: Intent) => Promise<void> } {
  const router = useRouter()
  const clusters = useClustersStore()
  const overview = useOverviewStore()
  const nodes = useNodesStore()
  const sample = useSampleStore()
  const settings = useSettingsStore()
  const overlays = useWindowStore()
  const { copy } = useClipboard()
  const theme = useTheme()

  async function carryOut(intent: Intent): Promise<void> {
    const cluster = clusters.currentId ?? ''
    switch (intent.kind) {
      case 'go':
        await router.push({ name: intent.place, params: intent.place === 'activity' || intent.place === 'settings' ? {} : { cluster } })
        return
      case 'cluster':
        await router.push({ name: 'overview', params: { cluster: intent.clusterId } })
        return
      case 'topic':
        await router.push({ name: 'topic-messages', params: { cluster: intent.clusterId, topic: intent.topic } })
        return
      case 'group':
        await router.push({ name: 'group', params: { cluster: intent.clusterId, group: intent.groupId } })
        return
      case 'broker':
        await router.push({ name: 'brokers', params: { cluster: intent.clusterId } })
        return
      case 'find-key':
        await router.push({
          name: 'topic-messages',
          params: { cluster, topic: intent.topic },
          query: toAddress({ text: intent.key, textIn: ['key'], record: 'first' }),
        })
        return
      case 'lagging-partition':
        await openLaggingPartition(cluster)
        return
      case 'produce':
        overlays.produce = { topic: intent.topic, tombstone: intent.tombstone, key: intent.key }
        return
      case 'elect-leaders': {
        const place = intent.topic === null ? { name: 'brokers', params: { cluster } } : partitionsOf(cluster, intent.topic)
        await router.push({ ...place, query: { do: 'elect' } })
        return
      }
      case 'reassign':
        await router.push({ ...partitionsOf(cluster, intent.topic), query: { do: 'reassign' } })
        return
      case 'empty-broker':
        await router.push({ name: 'brokers', params: { cluster }, query: { do: 'empty', from: String(intent.brokerId) } })
        return
      case 'delete-records':
        overlays.deleteRecordsOf = intent.topic
        return
      case 'node':
        await nodes.act(intent.action, intent.nodeId)
        return
      case 'copy-address':
        await copy(overview.bootstrap, 'the bootstrap address')
        return
      case 'create-topic':
        overlays.createTopicOpen = true
        return
      case 'toggle-theme':
        await settings.change({ theme: theme.toggle() })
        return
      case 'help':
        overlays.helpOpen = true
        return
      case 'add-connection':
        await router.push({ name: 'settings', query: { add: 'connection' } })
        return
      case 'sample-start':
        await sample.start()
        return
      case 'sample-stop':
        await sample.stop()
    }
  }

  const partitionsOf = (cluster: string, topic: string) => ({ name: 'topic-partitions', params: { cluster, topic } })

  async function openLaggingPartition(cluster: string): Promise<void> {
    const worst = overview.worstLag
    if (worst === null) return
    await router.push({ name: 'topic-partitions', params: { cluster, topic: worst.topic }, query: { partition: String(worst.partition) } })
  }

  return { carryOut }
}
