import { onScopeDispose, ref, shallowRef, watch, type Ref, type ShallowRef } from 'vue'
import type { MessageRow, TailBatch, TextFilter } from '../../../broker/contract/messages.ts'
import { useHost } from '../../client/host.ts'
import { followAndResume, type FollowStatus } from '../../client/resume.ts'
import type { Problem } from '../../lib/problem.ts'
import { createTailBuffer } from '../../lib/tail-buffer.ts'

/** New records as they come, newest first and bounded; drawn at most once per frame, however fast they are. */
export interface TailQuestion {
  clusterId: string
  topic: string
  partitions: number[] | null
  text: TextFilter | null
}

export interface LiveTail {
  status: Ref<FollowStatus>
  problem: ShallowRef<Problem | null>
  /** What the last batch said about the tail as a whole. */
  last: ShallowRef<Omit<TailBatch, 'rows'> | null>
  rowCount: Ref<number>
  newerCount: Ref<number>
  rowAt: (index: number) => MessageRow | undefined
  hold: () => void
  release: () => void
}

export const tailRowsMax = 5_000
/** Records per partition that are there when the tail begins, so that it does not begin blank. */
const BACKLOG = 10

export function useLiveTail(question: () => TailQuestion | null): LiveTail {
  const { client, epoch } = useHost()
  const status = ref<FollowStatus>('loading')
  const problem = shallowRef<Problem | null>(null)
  const last = shallowRef<Omit<TailBatch, 'rows'> | null>(null)
  const rowCount = ref(0)
  const newerCount = ref(0)
  const version = ref(0)
  let buffer = createTailBuffer(tailRowsMax)
  let abort: AbortController | null = null
  let frame = 0

  function draw(): void {
    frame = 0
    rowCount.value = buffer.length
    newerCount.value = buffer.newerCount
    version.value += 1
  }
  const drawSoon = (): void => {
    if (frame === 0) frame = requestAnimationFrame(draw)
  }

  function start(): void {
    abort?.abort()
    abort = null
    const asked = question()
    if (asked === null) return
    abort = new AbortController()
    void followAndResume<TailBatch>({
      acknowledger: client,
      open: (signal) => client.messages.tail({ ...asked, backlog: BACKLOG }, { signal }),
      onValue: ({ rows, ...batch }) => {
        buffer.take(rows)
        last.value = batch
        drawSoon()
      },
      onStatus: (next, nextProblem) => {
        status.value = next
        problem.value = nextProblem
      },
      signal: abort.signal,
    })
  }

  watch(
    () => JSON.stringify(question()),
    () => {
      buffer = createTailBuffer(tailRowsMax)
      last.value = null
      problem.value = null
      status.value = 'loading'
      draw()
      start()
    },
    { immediate: true },
  )
  watch(epoch, start)
  onScopeDispose(() => {
    abort?.abort()
    cancelAnimationFrame(frame)
  })

  return {
    status,
    problem,
    last,
    rowCount,
    newerCount,
    rowAt(index) {
      void version.value
      return buffer.rowAt(index)
    },
    hold: () => buffer.hold(),
    release() {
      buffer.release()
      draw()
    },
  }
}
