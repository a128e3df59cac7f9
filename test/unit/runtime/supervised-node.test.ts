import { expect, test, vi } from 'vitest'
import type { Env } from '../../../broker/env/types.ts'
import { createSupervisedNode, type NodeHooks, type NodeSpec } from '../../../broker/runtime/supervised-node.ts'
import type { RestartPolicy } from '../../../broker/runtime/types.ts'
import { createFakeLauncher, healthy, type FakeProcess } from './fake-launcher.ts'

/** Time passes when the test says so. */
function createManualEnv(): { env: Env; passMs(delayMs: number): void } {
  let nowMs = 0
  const timers = new Set<{ atMs: number; callback: () => void }>()
  const env = {
    clock: { nowMs: () => nowMs, monotonicMs: () => nowMs },
    timers: {
      after(delayMs: number, callback: () => void) {
        const timer = { atMs: nowMs + delayMs, callback }
        timers.add(timer)
        return { cancel: () => void timers.delete(timer) }
      },
    },
    log: { write: () => undefined },
  } as unknown as Env
  return {
    env,
    passMs(delayMs) {
      nowMs += delayMs
      for (const timer of [...timers].filter(({ atMs }) => atMs <= nowMs)) {
        timers.delete(timer)
        timer.callback()
      }
    },
  }
}

function setUp(options: { restart?: RestartPolicy; onLaunch?: (process: FakeProcess) => void } = {}) {
  const { env, passMs } = createManualEnv()
  const { launcher, launched } = createFakeLauncher({ onLaunch: options.onLaunch ?? healthy })
  const hooks: NodeHooks = { onChange: vi.fn(), onListening: vi.fn(), onProcess: vi.fn() }
  const spec: NodeSpec = {
    id: 2,
    role: 'broker',
    dataDirectory: '/data/broker-2',
    logFile: '/data/logs/broker-2.log',
    restart: options.restart ?? 'never',
    voterId: null,
    port: null,
    config: () => ({
      role: 'broker',
      nodeId: 2,
      clusterId: 'c',
      dataDirectory: '/data/broker-2',
      listeners: [],
      internalSecret: '',
      controllers: [],
      voters: [],
      logLevel: 'info',
      configOverrides: {},
    }),
  }
  return { node: createSupervisedNode(env, launcher, spec, hooks), launched, hooks, passMs }
}

test('a node is starting until it says that it is ready', async () => {
  const { node } = setUp()
  const started = node.start()
  expect(node.view().state).toBe('starting')
  expect(await started).toMatchObject({ state: 'running', exit: null })
})

test('a node that ends before it is ready fails its start with the reason it gave and the place of its log', async () => {
  const { node } = setUp({
    onLaunch: (process) =>
      queueMicrotask(() => {
        process.say({ type: 'fatal', reason: 'port 9093 is taken' })
        process.exit({ code: 1 })
      }),
  })
  await expect(node.start()).rejects.toMatchObject({
    code: 'NODE_FAILED',
    message: expect.stringMatching(/port 9093 is taken.*broker-2\.log/),
  })
  expect(node.view()).toMatchObject({ state: 'crashed', pid: null })
})

test('a node killed from outside stays down under the policy never', async () => {
  const { node, launched, passMs } = setUp()
  await node.start()
  launched[0]?.exit({ signal: 'SIGKILL' })
  passMs(120_000)
  expect(node.view()).toMatchObject({ state: 'crashed', exit: { signal: 'SIGKILL' } })
  expect(launched).toHaveLength(1)
})

test('a node killed from outside comes back under the policy on-failure, later each time', async () => {
  const { node, launched, passMs } = setUp({ restart: 'on-failure' })
  await node.start()
  launched[0]?.exit({ signal: 'SIGKILL' })
  passMs(500)
  await node.untilState(['running'], 1000)
  launched[1]?.exit({ signal: 'SIGKILL' })
  passMs(500)
  expect(node.view().state).toBe('crashed')
  passMs(500)
  expect(await node.untilState(['running'], 1000)).toMatchObject({ restarts: 2 })
})

test('a kill that was asked for is no failure and does not bring the node back', async () => {
  const { node, launched, passMs } = setUp({ restart: 'on-failure' })
  await node.start()
  expect(await node.kill()).toMatchObject({ state: 'stopped' })
  passMs(120_000)
  expect(launched).toHaveLength(1)
})

test('stopping a crashed node that waits for its restart cancels the restart', async () => {
  const { node, launched, passMs } = setUp({ restart: 'on-failure' })
  await node.start()
  launched[0]?.exit({ code: 1 })
  await node.stop()
  passMs(120_000)
  expect(launched).toHaveLength(1)
})

test('a paused node is resumed before it is asked to stop', async () => {
  const { node, launched } = setUp()
  await node.start()
  expect(node.pause().state).toBe('paused')
  await node.stop()
  expect(launched[0]?.signals).toEqual(['SIGSTOP', 'SIGCONT'])
  expect(launched[0]?.received).toContainEqual({ type: 'stop' })
})

test('a node that does not stop in time is killed', async () => {
  const { node, launched, passMs } = setUp()
  await node.start()
  const process = launched[0]
  if (process === undefined) throw new Error('nothing was launched')
  process.received.push = () => 0
  const exit = process.exit
  process.exit = ({ code, signal }) => (code === 0 ? undefined : exit({ code, signal }))
  const stopped = node.stop()
  passMs(15_000)
  expect(await stopped).toMatchObject({ state: 'stopped', exit: { signal: 'SIGKILL' } })
})

test('what the state does not allow is refused with the state named', async () => {
  const { node } = setUp()
  await expect(node.stop()).rejects.toMatchObject({ code: 'WRONG_STATE', message: 'Broker 2 is stopped and cannot be stopped.' })
  expect(() => node.resume()).toThrow(/is stopped and cannot be resumed/)
})

test('starting a node that runs is refused and leaves what is known of it as it was', async () => {
  const { node, launched, passMs } = setUp()
  await node.start()
  const before = node.view()
  passMs(1_000)
  await expect(node.start()).rejects.toMatchObject({ code: 'WRONG_STATE', message: 'Broker 2 is running and cannot be started.' })
  expect(node.view()).toEqual(before)
  expect(launched).toHaveLength(1)
})

test('connections are asked for once however many wait, and a silent node answers null', async () => {
  const { node, launched, passMs } = setUp()
  await node.start()
  const both = [node.connections(), node.connections()]
  expect(launched[0]?.received.filter(({ type }) => type === 'connections')).toHaveLength(1)
  launched[0]?.say({ type: 'connections', list: [] })
  expect(await Promise.all(both)).toEqual([[], []])
  const unanswered = node.connections()
  passMs(1_000)
  expect(await unanswered).toBeNull()
})

test('whoever asks for connections of a node that dies is answered at once', async () => {
  const { node, launched } = setUp()
  await node.start()
  const asked = node.connections()
  launched[0]?.exit({ signal: 'SIGKILL' })
  expect(await asked).toBeNull()
})
