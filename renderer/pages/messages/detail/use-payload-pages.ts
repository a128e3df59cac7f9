import { computed, onScopeDispose, ref, shallowRef, watch, type ComputedRef, type ShallowRef } from 'vue'
import type { PayloadSlice } from '../../../../broker/contract/messages.ts'
import { host } from '../../../client/host.ts'
import { isCancelled, problemOf, type Problem } from '../../../lib/problem.ts'
import type { RecordPlace } from '../use-record-detail.ts'

/** A large key, value or header read page by page: one page is here, the rest stays where it is. */
export type PayloadPart = { of: 'key' } | { of: 'value' } | { of: 'header'; index: number }

export interface PayloadQuestion {
  place: RecordPlace
  part: PayloadPart
  as: 'text' | 'hex'
  bytes: number
}

export interface PayloadPages {
  page: ShallowRef<PayloadSlice | null>
  problem: ShallowRef<Problem | null>
  hasPrevious: ComputedRef<boolean>
  hasNext: ComputedRef<boolean>
  previous: () => void
  next: () => void
  first: () => void
  last: () => void
}

export const pageBytes = 64 * 1024

export function usePayloadPages(question: () => PayloadQuestion | null): PayloadPages {
  const page = shallowRef<PayloadSlice | null>(null)
  const problem = shallowRef<Problem | null>(null)
  const position = ref(0)
  let abort: AbortController | null = null

  watch(
    () => JSON.stringify(question()),
    () => {
      position.value = 0
      page.value = null
      problem.value = null
      void read()
    },
    { immediate: true },
  )
  watch(position, () => void read())

  async function read(): Promise<void> {
    abort?.abort()
    const asked = question()
    if (asked === null) return
    const controller = new AbortController()
    abort = controller
    try {
      const slice = await host().messages.payload(
        { ...asked.place, part: asked.part, as: asked.as, position: position.value, count: pageBytes },
        { signal: controller.signal },
      )
      if (controller.signal.aborted) return
      page.value = slice
      problem.value = null
    } catch (error) {
      if (!controller.signal.aborted && !isCancelled(error)) problem.value = problemOf(error)
    }
  }
  onScopeDispose(() => abort?.abort())

  return {
    page,
    problem,
    hasPrevious: computed(() => position.value > 0),
    hasNext: computed(() => page.value !== null && page.value.nextPosition !== null),
    // Text pages end between characters, so walking back may begin within one: at most its first sign is a replacement.
    previous: () => (position.value = Math.max(0, position.value - pageBytes)),
    next: () => (position.value = page.value?.nextPosition ?? position.value),
    first: () => (position.value = 0),
    last: () => (position.value = Math.max(0, Math.floor(((page.value?.bytes ?? 0) - 1) / pageBytes) * pageBytes)),
  }
}

/** The most that is brought into the window as a whole, to be laid out or copied. */
export const wholePayloadBytesMax = 16 * 1024 * 1024
const SLICE_BYTES = 1024 * 1024

/** All of a payload, slice by slice; `onShare` hears how much of it is here. */
export async function readWholePayload(
  place: RecordPlace,
  part: PayloadPart,
  as: 'text' | 'hex',
  onShare: (share: number) => void,
  signal?: AbortSignal,
): Promise<string> {
  const pieces: string[] = []
  let next: number | null = 0
  while (next !== null) {
    const slice: PayloadSlice = await host().messages.payload({ ...place, part, as, position: next, count: SLICE_BYTES }, { signal })
    pieces.push(slice.text)
    next = slice.nextPosition
    onShare(slice.bytes === 0 ? 1 : (slice.nextPosition ?? slice.bytes) / slice.bytes)
  }
  return pieces.join('')
}
