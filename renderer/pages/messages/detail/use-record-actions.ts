import { useToast } from '@nuxt/ui/composables'
import { useRouter } from 'vue-router'
import type { MessageDetail, Payload } from '../../../../broker/contract/messages.ts'
import { useClipboard } from '../../../composables/clipboard.ts'
import { formatBytes } from '../../../lib/format.ts'
import { kcatReadCommand } from '../../../lib/kcat.ts'
import { toAddress } from '../../../lib/message-address.ts'
import { isCancelled, nextStep, problemOf } from '../../../lib/problem.ts'
import { emptyDraft, type ProduceDraft } from '../../../lib/produce-draft.ts'
import { useClustersStore } from '../../../stores/clusters.ts'
import { useWindowStore } from '../../../stores/window.ts'
import { readWholePayload, wholePayloadBytesMax, type PayloadPart } from './use-payload-pages.ts'

/** What can be done with a record: copy it in parts, as a command or as an address, send one like it, look around it. */
export function useRecordActions(clusterId: () => string) {
  const clusters = useClustersStore()
  const overlays = useWindowStore()
  const router = useRouter()
  const toast = useToast()
  const { copy } = useClipboard()

  async function wholeText(detail: MessageDetail, part: PayloadPart, payload: Payload): Promise<string> {
    if (payload.isComplete) return payload.text
    if (payload.bytes > wholePayloadBytesMax)
      throw new Error(`${formatBytes(payload.bytes)} is more than the window takes at once (${formatBytes(wholePayloadBytesMax)}).`)
    const place = { clusterId: clusterId(), topic: detail.topic, partition: detail.partition, offset: detail.offset }
    return readWholePayload(place, part, payload.encoding === 'hex' ? 'hex' : 'text', () => undefined)
  }

  async function attempt(title: string, work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      if (isCancelled(error)) return
      const problem = problemOf(error)
      const isOwn = problem.code === 'HOST_LOST' && error instanceof Error && problem.cause === error.message
      toast.add({
        title,
        description: isOwn ? error.message : `${problem.message} ${nextStep(problem)}`,
        color: 'error',
        icon: 'i-lucide-circle-x',
      })
    }
  }

  const copyPart = (detail: MessageDetail, of: 'key' | 'value'): Promise<void> =>
    attempt(`Could not copy the ${of}`, async () => {
      const payload = detail[of]
      if (payload === null)
        toast.add({ id: 'copied', title: `The ${of} is null`, description: 'There is nothing to copy.', icon: 'i-lucide-circle-slash' })
      else await copy(await wholeText(detail, { of }, payload), payload.encoding === 'hex' ? `the ${of} as hex` : `the ${of}`)
    })

  async function draftOf(detail: MessageDetail): Promise<ProduceDraft> {
    const kindOf = (payload: Payload): 'json' | 'hex' | 'text' => payload.encoding
    return {
      ...emptyDraft(),
      keyKind: detail.key === null ? 'none' : kindOf(detail.key),
      key: detail.key === null ? '' : await wholeText(detail, { of: 'key' }, detail.key),
      isTombstone: detail.value === null,
      valueKind: detail.value === null ? 'json' : kindOf(detail.value),
      value: detail.value === null ? '' : await wholeText(detail, { of: 'value' }, detail.value),
      headers: await Promise.all(
        detail.headers.map(async ({ key, value }, index) => ({
          key,
          value: value === null ? '' : await wholeText(detail, { of: 'header', index }, value),
          kind: value === null ? ('null' as const) : value.encoding === 'hex' ? ('hex' as const) : ('text' as const),
        })),
      ),
    }
  }

  return {
    copyPart,
    copyKcat: ({ topic, partition, offset }: MessageDetail): Promise<void> =>
      copy(
        kcatReadCommand({ bootstrap: (clusters.byId(clusterId())?.bootstrapServers ?? []).join(','), topic, partition, offset }),
        'a kcat command for this record',
      ),
    copyLink: ({ topic, partition, offset }: MessageDetail): Promise<void> => {
      const route = router.resolve({
        name: 'topic-messages',
        params: { cluster: clusterId(), topic },
        query: toAddress({
          partitions: [partition],
          start: { at: 'offset', offset },
          order: 'oldest-first',
          record: { partition, offset },
        }),
      })
      return copy(new URL(route.href, window.location.href).href, "the record's address")
    },
    /** Reads its partition from this record on. */
    showAround: async ({ topic, partition, offset }: MessageDetail): Promise<void> => {
      await router.push({
        name: 'topic-messages',
        params: { cluster: clusterId(), topic },
        query: toAddress({
          partitions: [partition],
          start: { at: 'offset', offset },
          order: 'oldest-first',
          record: { partition, offset },
        }),
      })
    },
    produceCopy: (detail: MessageDetail): Promise<void> =>
      attempt('Could not take a copy', async () => {
        overlays.produce = { topic: detail.topic, draft: await draftOf(detail) }
      }),
  }
}
