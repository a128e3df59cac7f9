import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createORPCClient } from '@orpc/client'
import { RPCLink } from '@orpc/client/websocket'
import { WebSocket } from 'ws'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createClient } from '../../broker/client/client.ts'
import { webSocketPath, type HostClient } from '../../broker/contract/contract.ts'
import { createRealEnv } from '../../broker/env/real.ts'
import { findOwner } from '../../broker/runtime/ownership.ts'
import { startIdentity } from '../../broker/runtime/process-identity.ts'
import { until } from '../support/until.ts'
import { startWeir, type WeirProcess } from '../support/weir-process.ts'

/** Weir as people and test suites run it: real processes on real ports, ended in every way there is. */
const root = resolve(import.meta.dirname, '../..')
const env = createRealEnv()
const goneWithinMs = 2_000
let folder = ''
let running: WeirProcess[] = []

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weir-life-'))
  running = []
})
afterEach(async () => {
  await Promise.all(running.map((weir) => weir.end('SIGKILL')))
  await rm(folder, { recursive: true, force: true, maxRetries: 5 })
})

async function start(...parameters: string[]): Promise<WeirProcess> {
  return startCommand('up', ...parameters)
}

async function startCommand(command: 'up' | 'serve', ...parameters: string[]): Promise<WeirProcess> {
  const weir = await startWeir(['--data-dir', folder, ...parameters], { command, env: { WEIR_HOME: join(folder, 'profile') } })
  running.push(weir)
  return weir
}

interface Identified {
  readonly pid: number
  readonly identity: string
}

/** Weir's own process and, from the record of the run, every node. */
async function processesOf(weir: WeirProcess): Promise<readonly Identified[]> {
  const read = async (): Promise<Identified[]> =>
    JSON.parse((await env.disk.readFile(join(folder, 'run.json')))?.toString() ?? '[]') as Identified[]
  await expect.poll(async () => (await read()).length).toBe(weir.brokers.length + (weir.brokers.length < 3 ? 1 : 3))
  return [{ pid: weir.pid, identity: (await startIdentity(weir.pid)) ?? '' }, ...(await read())]
}

async function alive(processes: readonly Identified[]): Promise<number[]> {
  const left = await Promise.all(processes.map(async ({ pid, identity }) => ((await startIdentity(pid)) === identity ? pid : null)))
  return left.filter((pid) => pid !== null)
}

async function write(weir: WeirProcess, topic: string, values: readonly string[]): Promise<void> {
  const client = createClient(env, { bootstrapServers: weir.bootstrapServers })
  try {
    await client.admin.createTopics([{ name: topic, partitionCount: 3, replicationFactor: 1 }])
    const results = await client.producer().sendAll(values.map((value) => ({ topic, key: value, value })))
    expect(results.filter(({ error }) => error !== null)).toEqual([])
  } finally {
    await client.close()
  }
}

async function countRecords(weir: WeirProcess, topic: string): Promise<number> {
  const client = createClient(env, { bootstrapServers: weir.bootstrapServers })
  try {
    const offsets = await client.admin.listOffsets([0, 1, 2].map((partition) => ({ topic, partition, spec: 'latest' as const })))
    return offsets.reduce((sum, { offset }) => sum + (offset ?? 0), 0)
  } finally {
    await client.close()
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: '127.0.0.1', port })
    socket.on('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })
}

/** As a browser does: the token for a cookie, then the WebSocket. */
async function openConsole(url: string): Promise<{ client: HostClient; close(): void }> {
  const { headers } = await fetch(url, { redirect: 'manual' })
  const cookie = (headers.get('set-cookie') ?? '').split(';')[0] ?? ''
  const socket = new WebSocket(`ws://${new URL(url).host}${webSocketPath}`, { headers: { cookie } })
  const client = createORPCClient<HostClient>(new RPCLink({ websocket: socket as unknown as globalThis.WebSocket }))
  return { client, close: () => socket.terminate() }
}

test('three brokers come up, each its own process, and one line says where', async () => {
  const weir = await start()
  expect(weir.lines).toHaveLength(1)
  expect(weir.brokers.map(({ id }) => id)).toEqual([1, 2, 3])
  expect(new Set([weir.pid, ...weir.brokers.map(({ pid }) => pid)]).size).toBe(4)
  expect(weir.bootstrapServers).toBe(weir.brokers.map(({ port }) => `127.0.0.1:${port}`).join(','))
  expect(await Promise.all(weir.brokers.map(({ port }) => accepts(port)))).toEqual([true, true, true])
  expect(weir.pid).toBe(weir.child.pid)
})

test('a fresh cluster shows no topic of its own making', async () => {
  const weir = await start()
  const client = createClient(env, { bootstrapServers: weir.bootstrapServers })
  try {
    expect(await client.admin.listTopics()).toEqual([])
  } finally {
    await client.close()
  }
})

test.each(['SIGTERM', 'SIGINT'] as const)(
  '%s stops everything in order with exit code 0, and what was written is there at the next start',
  async (signal) => {
    const first = await start()
    const values = Array.from({ length: 300 }, (_, index) => `value-${index}`)
    await write(first, 'kept', values)
    const processes = await processesOf(first)
    expect(await first.end(signal)).toBe(0)
    expect(await alive(processes)).toEqual([])
    const second = await start()
    expect(await countRecords(second, 'kept')).toBe(300)
  },
)

test('a broker killed from outside stays down, and its siblings live', async () => {
  const weir = await start()
  const [first, second] = weir.brokers
  if (first === undefined || second === undefined) throw new Error('too few brokers')
  process.kill(first.pid, 'SIGKILL')
  await expect.poll(() => accepts(first.port)).toBe(false)
  expect(await accepts(second.port)).toBe(true)
  expect(await weir.end('SIGTERM')).toBe(0)
})

test('a broker killed from outside comes back on its port under --restart on-failure', async () => {
  const weir = await start('--restart', 'on-failure')
  const [victim] = weir.brokers
  if (victim === undefined) throw new Error('no brokers')
  process.kill(victim.pid, 'SIGKILL')
  await expect.poll(() => startIdentity(victim.pid), { timeout: 10_000 }).toBeNull()
  await expect.poll(() => accepts(victim.port), { timeout: 20_000 }).toBe(true)
})

test('a killed weir leaves no process behind within two seconds, paused ones included', async () => {
  const weir = await start()
  const processes = await processesOf(weir)
  for (const { pid } of weir.brokers.slice(0, 2)) process.kill(pid, 'SIGSTOP')
  await weir.end('SIGKILL')
  await expect.poll(() => alive(processes), { timeout: goneWithinMs, interval: 20 }).toEqual([])
})

test('a killed weir leaves no process behind when every node was paused', async () => {
  const weir = await start()
  const processes = await processesOf(weir)
  for (const { pid } of processes) if (pid !== weir.pid) process.kill(pid, 'SIGSTOP')
  await weir.end('SIGKILL')
  await expect.poll(() => alive(processes), { timeout: goneWithinMs, interval: 20 }).toEqual([])
})

test('after weir was killed the folder starts again with what was acknowledged', async () => {
  const first = await start()
  await write(
    first,
    'kept',
    Array.from({ length: 300 }, (_, index) => `value-${index}`),
  )
  await first.end('SIGKILL')
  const second = await start()
  expect(await countRecords(second, 'kept')).toBe(300)
})

test('started by npm, weir stops when npm is killed', async () => {
  const weir = [join(root, 'build/weir.mjs'), 'up', '--data-dir', folder, '--brokers', '1', '--port', '0', '--json']
  const starter = `require('node:child_process').spawn(process.execPath, ${JSON.stringify(weir)}, { stdio: 'inherit' })`
  const npm = spawn(process.execPath, ['-e', starter], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, npm_lifecycle_event: 'weir' },
  })
  const [line] = (await once(npm.stdout, 'data')) as [Buffer]
  const { pid } = JSON.parse(line.toString('utf8')) as { pid: number }
  const identity = await startIdentity(pid)
  npm.kill('SIGKILL')
  await expect.poll(() => startIdentity(pid), { timeout: 20_000 }).not.toBe(identity)
  expect(await findOwner(env, folder)).toBeNull()
  expect(await env.disk.readFile(join(folder, 'run.json'))).toBeNull()
})

test('an ephemeral cluster leaves no folder, however it ends', async () => {
  const temporary = join(folder, 'tmp')
  await mkdir(temporary)
  const ephemeral = async (): Promise<WeirProcess> => {
    const weir = await startWeir(['--ephemeral', '--brokers', '1'], { env: { TMPDIR: temporary, TEMP: temporary } })
    running.push(weir)
    return weir
  }
  const left = async (): Promise<string[]> => (await readdir(temporary)).filter((name) => name.startsWith('weir-'))
  const ended = await ephemeral()
  expect(await left()).toEqual([expect.stringMatching(/^weir-[\w-]{22}$/)])
  await ended.end('SIGTERM')
  expect(await left()).toEqual([])
  const killed = await ephemeral()
  await killed.end('SIGKILL')
  await expect.poll(left, { timeout: 5_000 }).toEqual([])
})

test('a second weir on the same folder is refused and names the first, and where its brokers are', async () => {
  const weir = await start('--brokers', '1')
  const refused = start()
  await expect(refused).rejects.toThrow(new RegExp(`ended with 1 .*is run by process ${weir.pid} already, since \\d{4}-`, 's'))
  await expect(refused).rejects.toThrow(`Its brokers are at ${weir.bootstrapServers}.`)
})

test.each(['up', 'serve'] as const)(
  'a console started on a folder that `%s` runs looks at that cluster, and ends with it',
  async (command) => {
    const owner = await startWeir(['--data-dir', folder, '--brokers', '1'], { command, env: { WEIR_HOME: join(folder, '..', 'home') } })
    running.push(owner)
    const second = await startWeir(['--data-dir', folder, '--brokers', '3'], { command: 'serve', env: { WEIR_HOME: folder } })
    running.push(second)
    expect(second).toMatchObject({ event: 'attached', ownerPid: owner.pid, bootstrapServers: owner.bootstrapServers })
    expect(second.stderr()).toContain('--brokers, --port had no effect')
    const screen = await openConsole(second.url ?? '')
    try {
      expect(await screen.client.app.info()).toMatchObject({ pid: owner.pid })
      expect((await screen.client.nodes.list({ clusterId: 'embedded' })).map(({ pid }) => pid)).toContain(owner.brokers[0]?.pid)
    } finally {
      screen.close()
    }
    const ended = once(second.child, 'exit')
    expect(await owner.end('SIGTERM')).toBe(0)
    expect(await ended).toEqual([1, null])
    expect(second.stderr()).toContain(`Process ${owner.pid}, which ran ${folder}, has ended`)
  },
)

test('a console that was attached ends alone', async () => {
  const owner = await start('--brokers', '1')
  const second = await startCommand('serve')
  expect(await second.end('SIGINT')).toBe(0)
  expect(await accepts(owner.brokers[0]?.port ?? 0)).toBe(true)
})

test.each([
  ['as soon as it has the folder', 'owner.json'],
  ['as soon as its nodes are on their way', 'run.json'],
])('SIGTERM %s stops it with exit code 0, leaving no process and a free folder', async (_when, file) => {
  const weir = spawn(process.execPath, [join(root, 'build/weir.mjs'), 'up', '--data-dir', folder, '--port', '0'], { stdio: 'ignore' })
  const ended = once(weir, 'exit')
  const seen: Identified[] = []
  try {
    await until(`${file} to be there`, async () => (await env.disk.stat(join(folder, file))) !== null)
    seen.push(...(JSON.parse((await env.disk.readFile(join(folder, 'run.json')))?.toString() ?? '[]') as Identified[]))
    weir.kill('SIGTERM')
    expect(await ended).toEqual([0, null])
  } finally {
    weir.kill('SIGKILL')
  }
  expect(await alive(seen)).toEqual([])
  expect(await findOwner(env, folder)).toBeNull()
  expect(await env.disk.readFile(join(folder, 'run.json'))).toBeNull()
})

test('a signal right after its start leaves nothing behind', async () => {
  const weir = spawn(process.execPath, [join(root, 'build/weir.mjs'), 'up', '--data-dir', folder, '--port', '0'], { stdio: 'ignore' })
  const ended = once(weir, 'exit') as Promise<[number | null, string | null]>
  await once(weir, 'spawn')
  weir.kill('SIGTERM')
  // Before Node itself listens, the signal's own effect is all there is.
  expect([0, 'SIGTERM']).toContain((await ended).find((how) => how !== null))
  expect(await findOwner(env, folder)).toBeNull()
})

test('a client that comes by an advertised address is told the advertised addresses, and one on loopback is told loopback', async () => {
  const weir = await start('--advertise', 'localhost:0', '--advertise', '127.0.0.2:0')
  expect(weir.advertised).toHaveLength(2)
  expect(weir.stderr()).toMatch(/Whoever reaches .* there is no TLS and no password/)
  const addressesBy = async (bootstrapServers: string): Promise<string> => {
    const client = createClient(env, { bootstrapServers })
    try {
      const { brokers } = await client.metadata()
      const addresses = brokers.toSorted((one, other) => one.nodeId - other.nodeId).map(({ host, port }) => `${host}:${port}`)
      return addresses.join(',')
    } finally {
      await client.close()
    }
  }
  for (const servers of [...(weir.advertised ?? []), weir.bootstrapServers]) expect(await addressesBy(servers)).toBe(servers)
  const [outside = ''] = weir.advertised ?? []
  await write({ ...weir, bootstrapServers: outside }, 'from-outside', ['a', 'b', 'c'])
  expect(await countRecords(weir, 'from-outside')).toBe(3)
})

test('--brokers adds brokers to a folder that has fewer, and fewer are refused', async () => {
  const first = await start('--brokers', '1')
  await first.end('SIGTERM')
  const grown = await start('--brokers', '3')
  expect(grown.brokers.map(({ id }) => id)).toEqual([1, 2, 3])
  await grown.end('SIGTERM')
  await expect(start('--brokers', '2')).rejects.toThrow(/ended with 2 .*holds 3 brokers/s)
  expect((await stat(join(folder, 'broker-3'))).isDirectory()).toBe(true)
})
