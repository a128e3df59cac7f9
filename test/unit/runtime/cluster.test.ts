import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createRealEnv } from '../../../broker/env/real.ts'
import { DiskError, type Env } from '../../../broker/env/types.ts'
import { openCluster, startCluster } from '../../../broker/runtime/cluster.ts'
import { findOwner } from '../../../broker/runtime/ownership.ts'
import type { ClusterNotice, ClusterOptions, EmbeddedCluster } from '../../../broker/runtime/types.ts'
import { createFakeLauncher, healthy, type FakeProcess } from './fake-launcher.ts'

/** The cluster around its nodes; the nodes' processes are stand-ins. */
const env = createRealEnv({ log: { write: () => undefined } })
let folder = ''
const open: EmbeddedCluster[] = []

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weir-cluster-'))
})
afterEach(async () => {
  await Promise.all(open.splice(0).map((cluster) => cluster.shutdown()))
  await rm(folder, { recursive: true, force: true })
})

async function start(options: Partial<ClusterOptions> = {}, onLaunch: (process: FakeProcess) => void = healthy) {
  const { launcher, launched } = createFakeLauncher({ onLaunch })
  const proveWritable = vi.fn(async () => undefined)
  const cluster = await openCluster(env, { dataDirectory: folder, port: 0, ...options }, { launcher, proveWritable })
  open.push(cluster)
  const processOf = (nodeId: number): FakeProcess => {
    const found = launched.findLast(({ config }) => config.nodeId === nodeId)
    if (found === undefined) throw new Error(`node ${nodeId} was not launched`)
    return found
  }
  return { cluster, launched, processOf, proveWritable }
}

test('a new cluster has controllers from 1001 and brokers from 1, each in its own folder', async () => {
  const { cluster } = await start()
  expect(cluster.nodes().map(({ id, role, dataDirectory }) => [id, role, dataDirectory])).toEqual([
    [1001, 'controller', join(folder, 'controller-1001')],
    [1002, 'controller', join(folder, 'controller-1002')],
    [1003, 'controller', join(folder, 'controller-1003')],
    [1, 'broker', join(folder, 'broker-1')],
    [2, 'broker', join(folder, 'broker-2')],
    [3, 'broker', join(folder, 'broker-3')],
  ])
})

test('a cluster is ready only after a write on each broker has succeeded', async () => {
  const { cluster, proveWritable } = await start()
  await cluster.whenReady()
  expect(proveWritable).toHaveBeenCalledExactlyOnceWith(
    env,
    expect.objectContaining({ bootstrapServers: cluster.bootstrapServers, brokers: [1, 2, 3] }),
  )
})

test('nodes learn where each controller listens as soon as it has bound its port', async () => {
  const silent: FakeProcess[] = []
  const { cluster, processOf } = await start({ controllers: 3, brokers: 1 }, (process) => silent.push(process))
  await vi.waitFor(() => expect(silent).toHaveLength(4))
  const bind = (id: number): void =>
    processOf(id).say({ type: 'listening', listeners: [{ name: 'INTERNAL', host: '127.0.0.1', port: 30_000 + id }] })
  const addressesOf = (...ids: number[]) => ids.map((id) => ({ id, host: '127.0.0.1', port: 30_000 + id }))
  bind(1001)
  bind(1002)
  expect(processOf(1).received.at(-1)).toEqual({ type: 'config', controllers: addressesOf(1001, 1002) })
  bind(1003)
  const controllers = addressesOf(1001, 1002, 1003)
  expect(processOf(1).received.at(-1)).toEqual({ type: 'config', controllers })
  expect(processOf(1002).received.at(-1)).toEqual({ type: 'config', controllers })
  expect(cluster.controllerAddresses()).toEqual(controllers)
})

test('a broker that comes back is told the addresses at once and keeps its port', async () => {
  const { cluster, processOf } = await start()
  await cluster.whenReady()
  const port = cluster.nodes().find(({ id }) => id === 2)?.port
  await cluster.kill(2)
  await cluster.start(2)
  expect(processOf(2).config.controllers).toEqual(cluster.controllerAddresses())
  expect(processOf(2).config.listeners).toContainEqual({ name: 'CLIENT', host: '127.0.0.1', port })
})

test('voters are the same at every start, and so is the cluster id', async () => {
  const first = await start()
  await first.cluster.whenReady()
  const { voters, clusterId } = first.processOf(1001).config
  await first.cluster.shutdown()
  const second = await start()
  await second.cluster.whenReady()
  expect(second.processOf(1001).config).toMatchObject({ voters, clusterId })
  expect(second.cluster.internalSecret).not.toBe(first.cluster.internalSecret)
})

test('whoever listens sees every change of state', async () => {
  const { cluster } = await start()
  await cluster.whenReady()
  const seen: string[] = []
  const stop = cluster.onChange((nodes) => void seen.push(nodes.find(({ id }) => id === 1)?.state ?? ''))
  await cluster.restart(1)
  stop()
  await cluster.stop(1)
  expect([...new Set(seen)]).toEqual(['stopping', 'stopped', 'starting', 'running'])
})

test('brokers stop before controllers, and the folder is free afterwards', async () => {
  const stopped: number[] = []
  const { cluster, launched } = await start({}, (process) => {
    const exit = process.exit
    process.exit = (how) => {
      stopped.push(process.config.nodeId)
      exit(how)
    }
    healthy(process)
  })
  await cluster.whenReady()
  await cluster.shutdown()
  expect(launched).toHaveLength(6)
  expect(new Set(stopped.slice(0, 3))).toEqual(new Set([1, 2, 3]))
  expect(new Set(stopped.slice(3))).toEqual(new Set([1001, 1002, 1003]))
  expect(await findOwner(env, folder)).toBeNull()
})

test('a node that fails its start fails the cluster, and nothing is left running', async () => {
  const { launcher, launched } = createFakeLauncher({
    onLaunch: (process) => (process.config.nodeId === 2 ? queueMicrotask(() => process.exit({ code: 1 })) : healthy(process)),
  })
  const failed = startCluster(env, { dataDirectory: folder, port: 0 }, { launcher, proveWritable: async () => undefined })
  await expect(failed).rejects.toMatchObject({ code: 'NODE_FAILED', message: expect.stringContaining('Broker 2') })
  expect(launched.filter(({ received }) => received.some(({ type }) => type === 'stop'))).toHaveLength(5)
  expect(await findOwner(env, folder)).toBeNull()
})

test('an ephemeral cluster takes its folder with it', async () => {
  const { cluster } = await start({ ephemeral: true })
  await cluster.whenReady()
  await cluster.shutdown()
  expect(await stat(folder).catch(() => null)).toBeNull()
})

test('an unknown node is refused with those there are', async () => {
  const { cluster } = await start({ brokers: 1 })
  await expect(cluster.stop(7)).rejects.toMatchObject({ code: 'UNKNOWN_NODE', message: 'There is no node 7; there are 1001, 1.' })
})

test('connections are answered per broker, and a broker that is down answers null', async () => {
  const { cluster } = await start({ brokers: 2 }, (process) => {
    healthy(process)
    const push = process.received.push.bind(process.received)
    process.received.push = (message) => {
      if (message.type === 'connections') queueMicrotask(() => process.say({ type: 'connections', list: [] }))
      return push(message)
    }
  })
  await cluster.whenReady()
  await cluster.kill(2)
  expect(await cluster.connections()).toEqual([
    { nodeId: 1, connections: [] },
    { nodeId: 2, connections: null },
  ])
})

test('controllers are told at once when a process ends, and only they are', async () => {
  const { cluster, processOf } = await start({ controllers: 3, brokers: 2 })
  await cluster.whenReady()
  await cluster.kill(2)
  for (const id of [1001, 1002, 1003]) expect(processOf(id).received).toContainEqual({ type: 'ended', nodeId: 2 })
  expect(processOf(1).received).not.toContainEqual({ type: 'ended', nodeId: 2 })
})

test('combined, the voters run in the processes of the first brokers', async () => {
  const { cluster, launched, processOf } = await start({ controllers: 3, brokers: 4, combined: true })
  await cluster.whenReady()
  const processes = launched.map(({ config }) => [config.nodeId, config.companion?.nodeId ?? null] as const)
  expect(processes.toSorted(([one], [other]) => one - other)).toEqual([
    [1, 1001],
    [2, 1002],
    [3, 1003],
    [4, null],
  ])
  expect(processOf(2).config.companion).toMatchObject({ role: 'controller', dataDirectory: join(folder, 'controller-1002') })
  expect(cluster.controllerAddresses().map(({ id, port }) => [id, port])).toEqual([1001, 1002, 1003].map((id) => [id, 40_000 + id]))
  await cluster.kill(2)
  for (const nodeId of [2, 1002]) {
    expect(processOf(1).received).toContainEqual({ type: 'ended', nodeId })
    expect(processOf(4).received).not.toContainEqual({ type: 'ended', nodeId })
  }
})

test('combined, every broker leaves before the first process, and its voter, ends', async () => {
  const order: string[] = []
  const { cluster } = await start({ controllers: 3, brokers: 3, combined: true }, (process) => {
    const { say, exit } = process
    process.say = (message) => {
      if (message.type === 'left') order.push('left')
      say(message)
    }
    process.exit = (how) => {
      order.push('ended')
      exit(how)
    }
    healthy(process)
  })
  await cluster.whenReady()
  await cluster.shutdown()
  expect(order).toEqual(['left', 'left', 'left', 'ended', 'ended', 'ended'])
})

test('more voters than brokers do not fit into their processes', async () => {
  await expect(openCluster(env, { dataDirectory: folder, port: 0, brokers: 1, controllers: 3, combined: true })).rejects.toMatchObject({
    code: 'INVALID_OPTION',
  })
})

test('what is advertised is a listener of its own on each broker, and clients on loopback are told loopback as before', async () => {
  const notices: ClusterNotice[] = []
  const { cluster, processOf } = await start({
    brokers: 2,
    advertise: ['box.example:0', '[fd00::1]:0'],
    onNotice: (notice) => notices.push(notice),
  })
  await cluster.whenReady()
  const { listeners } = processOf(2).config
  expect(listeners.map(({ name, advertisedHost }) => [name, advertisedHost])).toEqual([
    ['CLIENT', undefined],
    ['EXTERNAL', 'box.example'],
    ['EXTERNAL2', 'fd00::1'],
    ['INTERNAL', undefined],
  ])
  expect(cluster.advertised).toEqual([
    expect.stringMatching(/^box\.example:\d+,box\.example:\d+$/),
    expect.stringMatching(/^\[fd00::1\]:\d+,\[fd00::1\]:\d+$/),
  ])
  expect(cluster.bootstrapServers).toMatch(/^127\.0\.0\.1:\d+,127\.0\.0\.1:\d+$/)
  expect(notices).toMatchObject([{ code: 'ADVERTISED', message: expect.stringContaining('no password') }])
  const before = listeners.map(({ port }) => port)
  await cluster.restart(2)
  expect(processOf(2).config.listeners.map(({ port }) => port)).toEqual(before)
})

test('an address that cannot be advertised is refused before anything is made', async () => {
  await expect(openCluster(env, { dataDirectory: folder, port: 0, advertise: ['0.0.0.0'] })).rejects.toMatchObject({
    code: 'INVALID_OPTION',
  })
  expect(await readdir(folder)).toEqual([])
})

test.each(['makeDirectory', 'lock', 'writeFileAtomic'] as const)(
  'an opening given up during %s ends with the reason, starts nothing and leaves the folder free',
  async (operation) => {
    const asked = new AbortController()
    const reason = new Error('asked to end')
    const original = env.disk[operation] as (...parameters: unknown[]) => Promise<unknown>
    const disk = {
      ...env.disk,
      [operation](...parameters: unknown[]) {
        asked.abort(reason)
        return original(...parameters)
      },
    }
    const { launcher, launched } = createFakeLauncher()
    const opening = openCluster({ ...env, disk }, { dataDirectory: folder, port: 0, signal: asked.signal }, { launcher })
    await expect(opening).rejects.toBe(reason)
    expect(launched).toEqual([])
    expect(await findOwner(env, folder)).toBeNull()
  },
)

test('a disk that does not answer ends the opening with a sentence, and once it does nothing has been started', async () => {
  const answered = Promise.withResolvers<void>()
  const overdue: (() => void)[] = []
  const hanging: Env = {
    ...env,
    disk: { ...env.disk, lock: (path) => answered.promise.then(() => env.disk.lock(path)) },
    timers: { ...env.timers, after: (_delayMs, callback) => (overdue.push(callback), { cancel: () => undefined }) },
  }
  const { launcher, launched } = createFakeLauncher()
  const opening = openCluster(hanging, { dataDirectory: folder, port: 0 }, { launcher })
  overdue[0]?.()
  await expect(opening).rejects.toMatchObject({ code: 'TIMED_OUT', message: expect.stringContaining(folder) })
  answered.resolve()
  await vi.waitFor(async () => expect(await findOwner(env, folder)).toBeNull())
  expect(launched).toEqual([])
})

test.each([
  ['EROFS', /file system is read-only/],
  ['ENOENT', /cannot be made there/],
  ['ENOSPC', /disk is full.*Make room/],
  ['EACCES', /may not write there/],
  ['EWHATEVER', /EWHATEVER/],
])('a folder that fails with %s is unusable, said with the folder and what to do', async (code, sentence) => {
  const disk = { ...env.disk, lock: () => Promise.reject(new DiskError(code, join(folder, 'owner.lock'), `${code}: no`)) }
  const refused = openCluster({ ...env, disk }, { dataDirectory: folder, port: 0 })
  await expect(refused).rejects.toMatchObject({ code: 'FOLDER_UNUSABLE', message: expect.stringMatching(sentence) })
  await expect(refused).rejects.toThrow(folder)
})

test('a file where the folder should be is said to be one', async () => {
  const file = join(folder, 'file')
  await writeFile(file, '')
  await expect(openCluster(env, { dataDirectory: file, port: 0 })).rejects.toMatchObject({
    code: 'FOLDER_UNUSABLE',
    message: expect.stringMatching(/file .*(a file has that name|is a file)/),
  })
})

test('whoever comes second is told who runs the folder, since when, and where its brokers and its console are', async () => {
  const { cluster } = await start({ brokers: 1 })
  await cluster.announceConsole('http://127.0.0.1:4711')
  const refused = openCluster(env, { dataDirectory: folder, port: 0 })
  await expect(refused).rejects.toMatchObject({ code: 'FOLDER_IN_USE' })
  await expect(refused).rejects.toThrow(`process ${process.pid} already, since ${new Date().getFullYear()}`)
  await expect(refused).rejects.toThrow(`Its brokers are at ${cluster.bootstrapServers}.`)
  await expect(refused).rejects.toThrow('Its console is at http://127.0.0.1:4711.')
})
