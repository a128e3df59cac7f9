// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { effectScope, nextTick, ref, type EffectScope } from 'vue'
import type { TopicRow } from '../../../broker/contract/topics.ts'
import { setHost } from '../../../renderer/client/host.ts'
import { useLive } from '../../../renderer/composables/live.ts'
import { usePagedList } from '../../../renderer/composables/paged-list.ts'
import { usePolled } from '../../../renderer/composables/polled.ts'
import { useTask } from '../../../renderer/composables/task.ts'
import { createStandInHost } from '../../../renderer/gallery/stand-in-host.ts'

let scope: EffectScope

beforeEach(() => {
  scope = effectScope()
})
afterEach(() => scope.stop())

describe('state that follows the host', () => {
  it('shows the snapshot, and forgets it when something else is followed', async () => {
    setHost(createStandInHost('worst'))
    const topic = ref('trucks_gps')
    const live = scope.run(() =>
      useLive({
        key: () => topic.value,
        open: (client, name, signal) => client.topics.watchPartitions({ clusterId: 'local', topic: name }, { signal }),
      }),
    )
    expect(live?.loading.value).toBe(true)
    await vi.waitUntil(() => live?.data.value?.topic === 'trucks_gps')
    topic.value = '__consumer_offsets'
    await nextTick()
    expect(live?.data.value).toBeNull()
    await vi.waitUntil(() => live?.data.value?.topic === '__consumer_offsets')
  })

  it('says why when it cannot', async () => {
    setHost(createStandInHost('error'))
    const live = scope.run(() =>
      useLive({ key: 'local', open: (client, clusterId, signal) => client.overview.watch({ clusterId }, { signal }) }),
    )
    await vi.waitUntil(() => live?.failed.value)
    expect(live?.problem.value?.code).toBe('CLUSTER_UNREACHABLE')
  })
})

describe('a list that pages in the host', () => {
  it('reaches the last of ten thousand topics by moving its window, and starts over with another question', async () => {
    setHost(createStandInHost('worst'))
    const filter = ref('')
    const list = scope.run(() =>
      usePagedList<TopicRow, { clusterId: string; filter: string }>({
        query: () => ({ clusterId: 'local', filter: filter.value }),
        open: (client, input, signal) => client.topics.watchList(input, { signal }),
      }),
    )
    if (list === undefined) throw new Error('The scope did not run.')
    await vi.waitUntil(() => list.rowAt(0) !== undefined)
    const last = list.total.value - 1
    expect(list.rowAt(last)).toBeUndefined()
    list.onRange(last - 20, last)
    await vi.waitUntil(() => list.rowAt(last) !== undefined)
    expect(list.rowAt(0), 'rows seen before stay known').toBeDefined()
    filter.value = 'longest'
    await vi.waitUntil(() => list.total.value === 1 && list.rowAt(0)?.name.startsWith('the-longest'))
    expect(list.rowAt(1)).toBeUndefined()
  })
})

describe('what is asked again and again', () => {
  it('keeps the last answer and says why the newest failed', async () => {
    setHost(createStandInHost('populated'))
    let fails = false
    const polled = scope.run(() =>
      usePolled({ key: 1, read: () => (fails ? Promise.reject(new Error('gone')) : Promise.resolve('answer')), everyMs: 5 }),
    )
    await vi.waitUntil(() => polled?.data.value === 'answer')
    fails = true
    await vi.waitUntil(() => polled?.problem.value !== null)
    expect(polled?.data.value).toBe('answer')
    expect(polled?.failed.value).toBe(false)
  })
})

describe('one thing a person asked for', () => {
  it('only the latest run counts', async () => {
    const answers: ((value: string) => void)[] = []
    const task = useTask((_which: number) => new Promise<string>((resolve) => answers.push(resolve)))
    const first = task.run(1)
    const second = task.run(2)
    answers[1]?.('second')
    answers[0]?.('first')
    expect(await second).toBe('second')
    expect(await first).toBeNull()
    expect(task.busy.value).toBe(false)
  })

  it('keeps the reason of a failure until it is run again', async () => {
    let fails = true
    const task = useTask(() => (fails ? Promise.reject(new Error('no')) : Promise.resolve('yes')))
    expect(await task.run()).toBeNull()
    expect(task.problem.value?.cause).toBe('no')
    fails = false
    expect(await task.run()).toBe('yes')
    expect(task.problem.value).toBeNull()
  })
})
