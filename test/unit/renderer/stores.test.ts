// @vitest-environment happy-dom
import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createApp, reactive, ref, type App } from 'vue'
import { createMemoryHistory, createRouter } from 'vue-router'
import { setHost, type HostConnection } from '../../../renderer/client/host.ts'
import type { ConnectionState } from '../../../renderer/client/link.ts'
import { createStandInHost } from '../../../renderer/gallery/stand-in-host.ts'
import { useClustersStore } from '../../../renderer/stores/clusters.ts'
import { useNodesStore } from '../../../renderer/stores/nodes.ts'
import { useOverviewStore } from '../../../renderer/stores/overview.ts'
import { useProduceDraftsStore } from '../../../renderer/stores/produce-drafts.ts'
import { useSampleStore } from '../../../renderer/stores/sample.ts'
import { useSearchStore } from '../../../renderer/stores/search.ts'
import { emptyDraft } from '../../../renderer/lib/produce-draft.ts'

const toasts = vi.hoisted(() => [] as { title: string; color?: string }[])
vi.mock('@nuxt/ui/composables', () => ({ useToast: () => ({ add: (toast: { title: string }) => toasts.push(toast) }) }))

let app: App

async function openAt(address: string, scene: string, host: HostConnection = createStandInHost(scene)): Promise<void> {
  setHost(host)
  const page = { render: () => null }
  const router = createRouter({
    history: createMemoryHistory(),
    routes: [
      { path: '/c/:cluster/:rest(.*)*', component: page },
      { path: '/:rest(.*)*', component: page },
    ],
  })
  app = createApp(page)
  const pinia = createPinia()
  app.use(pinia)
  app.use(router)
  setActivePinia(pinia)
  await router.push(address)
}

beforeEach(() => {
  toasts.length = 0
  localStorage.clear()
})
afterEach(() => app.unmount())

describe('the clusters store', () => {
  it('has in view the cluster of the address, reachable or not', async () => {
    await openAt('/c/staging/overview', 'populated')
    const clusters = useClustersStore()
    await vi.waitUntil(() => clusters.current !== null)
    expect(clusters.current).toMatchObject({ id: 'staging', state: { status: 'unreachable' } })
    expect(clusters.isEmbedded).toBe(false)
  })

  it('says that the host is lost from the moment it is, so that nothing is offered that cannot be done', async () => {
    const standIn = createStandInHost('populated')
    const state = ref<ConnectionState>('connected')
    await openAt('/c/local/brokers', 'populated', { ...standIn, state })
    const clusters = useClustersStore()
    expect(clusters.isHostLost).toBe(false)
    state.value = 'disconnected'
    expect(clusters.isHostLost).toBe(true)
    state.value = 'connected'
    expect(clusters.isHostLost).toBe(false)
  })

  it('falls back to the last one, then to the first, on pages that belong to none', async () => {
    await openAt('/activity', 'populated')
    const clusters = useClustersStore()
    await vi.waitUntil(() => clusters.all.length > 0)
    expect(clusters.currentId).toBe('local')
    clusters.remember('production')
    expect(clusters.currentId).toBe('production')
    expect(clusters.isReadOnly).toBe(true)
  })
})

describe('the nodes store', () => {
  it('shows a killed broker dead from the stream, and says what was done', async () => {
    await openAt('/c/local/brokers', 'populated')
    const nodes = useNodesStore()
    await vi.waitUntil(() => nodes.nodes.length > 0)
    expect(await nodes.act('kill', 2)).toBe(true)
    await vi.waitUntil(() => nodes.byId(2)?.state === 'crashed')
    expect(toasts.at(-1)?.title).toBe('Broker 2 killed')
    expect(nodes.underWay.size).toBe(0)
  })

  it('says what could not be done, and to what', async () => {
    await openAt('/c/local/brokers', 'populated')
    const nodes = useNodesStore()
    await vi.waitUntil(() => nodes.nodes.length > 0)
    expect(await nodes.act('start', 77)).toBe(false)
    expect(toasts.at(-1)).toMatchObject({ title: 'Could not start broker 77', color: 'error' })
  })

  it('asks nothing about the processes of a remote cluster', async () => {
    await openAt('/c/production/brokers', 'populated')
    const nodes = useNodesStore()
    const overview = useOverviewStore()
    await vi.waitUntil(() => overview.overview !== null)
    expect(nodes.nodes).toEqual([])
  })
})

describe('the search store', () => {
  it('knows the leader of the most lagging partition, so that the palette can offer to kill it', async () => {
    await openAt('/c/local/overview', 'populated')
    const search = useSearchStore()
    await vi.waitUntil(() => search.context.worstLag !== null && search.context.worstLag.leader !== null)
    expect(search.context.worstLag).toMatchObject({ groupId: 'search-indexer', topic: 'catalog.products', partition: 5, leader: 3 })
    expect(search.context.bootstrap).toBe('127.0.0.1:9092,127.0.0.1:9093,127.0.0.1:9094')
  })

  it('has the sample topic first, and after typing only what matches', async () => {
    await openAt('/c/local/overview', 'populated')
    const search = useSearchStore()
    await vi.waitUntil(() => search.topics.length > 3)
    expect(search.topics[0]).toBe('trucks_gps')
    search.text = 'dlq'
    await vi.waitUntil(() => search.context.hits.length === 1)
    expect(search.context.hits[0]).toMatchObject({ kind: 'topic', name: 'orders.dlq' })
  })
})

describe('the sample store', () => {
  it('follows the workload it starts', async () => {
    await openAt('/c/local/overview', 'empty')
    const sample = useSampleStore()
    await vi.waitUntil(() => sample.state !== null)
    expect(sample.isRunning).toBe(false)
    await sample.start(10)
    await vi.waitUntil(() => sample.isRunning)
  })
})

describe('produce drafts', () => {
  it('are kept per topic, without the tombstone, and are copies', async () => {
    await openAt('/', 'empty')
    const drafts = useProduceDraftsStore()
    const form = reactive({ ...emptyDraft(), key: 'a', isTombstone: true, headers: [{ key: 'h', value: '1', kind: 'text' as const }] })
    drafts.keep('local', 'orders', form)
    form.headers[0]!.value = 'changed'
    expect(drafts.of('local', 'orders')).toMatchObject({ key: 'a', isTombstone: false, headers: [{ value: '1' }] })
    expect(drafts.of('local', 'payments').key).toBe('')
  })
})
