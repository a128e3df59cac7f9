// @vitest-environment happy-dom
import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { createApp, ref, type App } from 'vue'
import { createMemoryHistory, createRouter, type Router } from 'vue-router'
import { setHost } from '../../../renderer/client/host.ts'
import { usePageAction } from '../../../renderer/composables/page-action.ts'
import { useReassignments, type Reassignments } from '../../../renderer/composables/reassignments.ts'
import { createStandInHost } from '../../../renderer/gallery/stand-in-host.ts'
import { useClustersStore } from '../../../renderer/stores/clusters.ts'

const toasts = vi.hoisted(() => [] as { title: string }[])
vi.mock('@nuxt/ui/composables', () => ({ useToast: () => ({ add: (toast: { title: string }) => toasts.push(toast) }) }))

let app: App
let router: Router

/** A page in the middle of the app, with what it uses. */
async function pageAt<Used>(address: string, setup: () => Used): Promise<Used> {
  setHost(createStandInHost('populated'))
  let used: Used | undefined
  const page = { render: () => null }
  router = createRouter({ history: createMemoryHistory(), routes: [{ path: '/c/:cluster/:rest(.*)*', component: page }] })
  await router.push(address)
  app = createApp({
    setup() {
      used = setup()
      return () => null
    },
  })
  const pinia = createPinia()
  app.use(pinia)
  app.use(router)
  setActivePinia(pinia)
  app.mount(document.createElement('div'))
  if (used === undefined) throw new Error('the page was not set up')
  return used
}

beforeEach(() => {
  toasts.length = 0
})
afterEach(() => app.unmount())

it('what moves is followed for the topic in view, by partition', async () => {
  const topic = ref('orders')
  const moves: Reassignments = await pageAt('/c/local/x', () => useReassignments('local', topic))
  await vi.waitUntil(() => moves.byPartition.value.size > 0)
  expect(moves.byPartition.value.get(3)).toMatchObject({ state: 'moving', adding: [3], removing: [1] })
  topic.value = 'payments.settled'
  await vi.waitUntil(() => moves.state.data.value?.run?.status === 'done')
  expect([...moves.byPartition.value.values()].every(({ state }) => state === 'done')).toBe(true)
})

it('cancelling says how many partitions go back', async () => {
  const moves = await pageAt('/c/local/x', () => useReassignments('local', 'orders'))
  expect(await moves.cancel.run('run')).toMatchObject({ cancelledCount: 7 })
  expect(toasts).toMatchObject([{ title: '7 partitions on the way back' }])
})

it('another limit says what holds now', async () => {
  const moves = await pageAt('/c/local/x', () => useReassignments('local', 'orders'))
  await moves.setLimit.run('run-1', 52_428_800)
  await moves.setLimit.run('run-1', null)
  expect(toasts.map(({ title }) => title)).toEqual(['Now held to 50 MiB/s per broker', 'Now as fast as it goes'])
})

it('a dialog has an address, which loses its words when it is closed', async () => {
  const { open } = await pageAt('/c/local/brokers?do=empty&from=2&broker=1', () => usePageAction('empty', ['from']))
  expect(open.value).toBe(true)
  open.value = false
  await vi.waitUntil(() => router.currentRoute.value.query['do'] === undefined)
  expect(router.currentRoute.value.query).toEqual({ broker: '1' })
})

it('where nothing may be changed the dialog stays shut, whatever the address says', async () => {
  const { open, clusters } = await pageAt('/c/production/brokers?do=elect', () => ({
    ...usePageAction('elect'),
    clusters: useClustersStore(),
  }))
  await vi.waitUntil(() => clusters.isReadOnly)
  expect(open.value).toBe(false)
})
