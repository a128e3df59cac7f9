import { shallowRef, watch, type ShallowRef } from 'vue'
import type { Histogram } from '../../../broker/contract/messages.ts'
import { host } from '../../client/host.ts'
import type { MessageResult } from './use-message-query.ts'

/** The histogram of a result: asked again while it is being read, at a calm pace, and once more when it is done. */
const BUCKETS = 120
const CALM_PAUSE_MS = 600

export function useHistogram(result: MessageResult, isShown: () => boolean): ShallowRef<Histogram | null> {
  const histogram = shallowRef<Histogram | null>(null)
  let askedMs = 0
  let asked = 0
  let shown = 0

  async function ask(queryId: string): Promise<void> {
    askedMs = Date.now()
    asked += 1
    const mine = asked
    try {
      const found = await host().messages.histogram({ queryId, buckets: BUCKETS })
      if (mine < shown || queryId !== result.queryId.value) return
      shown = mine
      histogram.value = found
    } catch {
      // The rows tell what is wrong; a picture that cannot be drawn stays as it was.
    }
  }

  watch(
    [isShown, result.queryId, result.progress],
    ([isVisible, queryId, progress], [wasVisible, previousId]) => {
      if (!isVisible || queryId === null || progress === null) return
      const isNew = queryId !== previousId || isVisible !== wasVisible || histogram.value === null
      if (isNew || progress.state !== 'scanning' || Date.now() - askedMs > CALM_PAUSE_MS) void ask(queryId)
    },
    { immediate: true },
  )
  return histogram
}
