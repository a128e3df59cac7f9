import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { HostClient } from '../../../broker/contract/contract.ts'
import type { AppSettings } from '../../../broker/contract/settings.ts'
import { follow } from '../../../broker/contract/stream.ts'
import { createRealEnv } from '../../../broker/env/real.ts'
import type { Env } from '../../../broker/env/types.ts'
import { attachToOwner, type AttachedHost } from '../../../broker/host/attached-host.ts'
import { serveHostOnDemand } from '../../../broker/host/host-on-demand.ts'
import { createHost, type Host } from '../../../broker/host/host.ts'
import { connectLocal } from '../../../broker/host/local-client.ts'
import { fromPlatformPort } from '../../../broker/host/transports/host-port.ts'
import { claimFolder, type Ownership } from '../../../broker/runtime/ownership.ts'
import { openWindow } from '../../support/host-window.ts'
import { until } from '../../support/until.ts'

vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 })

/** A folder that somebody runs, and a console that comes second. */
const env = createRealEnv({ log: { write: () => undefined } })
const version = '1.2.3'
let folder = ''
let ownership: Ownership
const toClose: { close(): Promise<void> | void }[] = []

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weir-attach-'))
  ownership = await claimFolder(env, folder, process.pid)
  await ownership.describe({ bootstrapServers: '127.0.0.1:19999' })
})
afterEach(async () => {
  for (const one of toClose.splice(0).toReversed()) await one.close()
  await ownership.release()
  await rm(folder, { recursive: true, force: true })
})

async function startOwner(): Promise<Host> {
  const host = await createHost({ env, dataDirectory: join(folder, 'profile'), version })
  toClose.push(host)
  await host.serveSocket(ownership.socketPath)
  return host
}

async function attach(): Promise<AttachedHost> {
  const attached = await attachToOwner(env, { dataDirectory: folder, version })
  toClose.push(attached)
  return attached
}

function openScreen(attached: AttachedHost): { client: HostClient; closed: Promise<unknown> } {
  const { client, port } = openWindow((hostPort) => attached.attach(fromPlatformPort(hostPort)))
  const closed = new Promise((resolve) => port.on('close', resolve as () => void))
  return { client, closed }
}

test('screens of the second are answered by the first: calls and streams', async () => {
  await startOwner()
  const attached = await attach()
  expect(attached.owner).toMatchObject({ pid: process.pid, bootstrapServers: '127.0.0.1:19999' })
  const screens = [openScreen(attached), openScreen(attached)]
  for (const { client } of screens) expect(await client.app.info()).toMatchObject({ version, dataDirectory: join(folder, 'profile') })
  const [one, other] = screens
  const seen: AppSettings[] = []
  const ending = new AbortController()
  const watching = follow(one!.client, one!.client.settings.watch({}, { signal: ending.signal }), (settings) => void seen.push(settings))
  await until('a snapshot', () => seen.length > 0)
  await other!.client.settings.change({ theme: 'dark' })
  await until('the change to arrive', () => seen.at(-1)?.theme === 'dark')
  ending.abort()
  await watching.catch(() => undefined)
})

test('the second serves the screen to a browser under a token of its own', async () => {
  await startOwner()
  await writeFile(join(folder, 'index.html'), '<!doctype html>')
  const attached = await attach()
  const { url, port } = await attached.serveWeb({ rendererDirectory: folder })
  expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(401)
  expect((await fetch(url, { redirect: 'manual' })).status).toBe(303)
})

test('when the first ends, the second learns of it and its screens are cut off', async () => {
  const host = await startOwner()
  const attached = await attach()
  const { client, closed } = openScreen(attached)
  await client.app.info()
  await host.close()
  await attached.lost
  await closed
})

test('closing the second leaves the first as it is', async () => {
  const host = await startOwner()
  const attached = await attach()
  const { client, closed } = openScreen(attached)
  await client.app.info()
  await attached.close()
  await closed
  const direct = await connectLocal(ownership.socketPath)
  expect((await direct.client.app.info()).version).toBe(version)
  direct.close()
  expect(host.openStreamCount).toBe(0)
})

test('a first that is still starting is waited for', async () => {
  const attaching = attachToOwner(env, { dataDirectory: folder, version })
  await startOwner()
  const attached = await attaching
  toClose.push(attached)
  expect(attached.owner.pid).toBe(process.pid)
})

test('another version is not attached to, and named', async () => {
  await startOwner()
  await expect(attachToOwner(env, { dataDirectory: folder, version: '9.9.9' })).rejects.toMatchObject({
    code: 'FOLDER_IN_USE',
    message: expect.stringMatching(/process \d+ .* It is Weir 1\.2\.3 and this is 9\.9\.9/),
  })
})

test('a first that does not answer is said to be so, with who it is', async () => {
  let nowMs = 0
  const impatient: Env = { ...env, clock: { ...env.clock, monotonicMs: () => (nowMs += 6_000) } }
  await expect(attachToOwner(impatient, { dataDirectory: folder, version })).rejects.toMatchObject({
    code: 'FOLDER_IN_USE',
    message: expect.stringMatching(new RegExp(`process ${process.pid} .* does not answer`)),
  })
})

test('whoever is asked to end while waiting for the first stops waiting', async () => {
  const asked = new AbortController()
  const attaching = attachToOwner(env, { dataDirectory: folder, version, signal: asked.signal })
  const reason = new Error('asked to end')
  asked.abort(reason)
  await expect(attaching).rejects.toBe(reason)
})

test('a cluster without a host makes one for the first console that comes, and no second', async () => {
  const makeHost = vi.fn(() => createHost({ env, dataDirectory: join(folder, 'profile'), version }))
  toClose.push(await serveHostOnDemand(env, ownership.socketPath, makeHost))
  expect(makeHost).not.toHaveBeenCalled()
  const consoles = await Promise.all([connectLocal(ownership.socketPath), connectLocal(ownership.socketPath)])
  for (const { client } of consoles) expect((await client.app.info()).version).toBe(version)
  for (const { close } of consoles) close()
  expect(makeHost).toHaveBeenCalledOnce()
})

test('a host that could not be made costs the console that asked, and is tried again for the next', async () => {
  const makeHost = vi.fn(() => createHost({ env, dataDirectory: join(folder, 'profile'), version }))
  makeHost.mockRejectedValueOnce(new Error('no'))
  toClose.push(await serveHostOnDemand(env, ownership.socketPath, makeHost))
  const first = await connectLocal(ownership.socketPath)
  await new Promise<void>((closed) => first.onClose(closed))
  const second = await connectLocal(ownership.socketPath)
  expect((await second.client.app.info()).version).toBe(version)
  second.close()
})
