import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createRealEnv } from '../../../broker/env/real.ts'
import { createRunRecord, endLeftovers } from '../../../broker/runtime/leftovers.ts'
import { startIdentity } from '../../../broker/runtime/process-identity.ts'

const env = createRealEnv()
let folder = ''
let sleeper: ChildProcess

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weir-left-'))
  sleeper = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1e6)'], { stdio: 'ignore' })
  await once(sleeper, 'spawn')
})
afterEach(async () => {
  sleeper.kill('SIGKILL')
  await rm(folder, { recursive: true, force: true })
})

async function recordRun(entries: readonly { nodeId: number; pid: number; identity: string }[]): Promise<void> {
  await writeFile(join(folder, 'run.json'), JSON.stringify(entries))
}

const pidOf = (child: ChildProcess): number => child.pid ?? -1
const isAlive = async (pid: number): Promise<boolean> => (await startIdentity(pid)) !== null

test('a process of the last run that still lives is ended, even when it is paused', async () => {
  const pid = pidOf(sleeper)
  sleeper.kill('SIGSTOP')
  await recordRun([{ nodeId: 3, pid, identity: (await startIdentity(pid)) ?? '' }])
  expect(await endLeftovers(env, folder)).toEqual([3])
  expect(await isAlive(pid)).toBe(false)
})

test('a process that only has the same id is left alone', async () => {
  await recordRun([{ nodeId: 3, pid: pidOf(sleeper), identity: 'another start time' }])
  expect(await endLeftovers(env, folder)).toEqual([])
  expect(await isAlive(pidOf(sleeper))).toBe(true)
})

test('a torn record ends nothing', async () => {
  await writeFile(join(folder, 'run.json'), '[{"nodeId":3,"pi')
  expect(await endLeftovers(env, folder)).toEqual([])
})

test('the record names the processes of the latest update, and an orderly end leaves none', async () => {
  const record = createRunRecord(env, folder)
  record.update([{ nodeId: 1, pid: 999_999_999 }])
  record.update([{ nodeId: 2, pid: pidOf(sleeper) }])
  await expect
    .poll(async () => JSON.parse((await env.disk.readFile(join(folder, 'run.json')))?.toString() ?? '[]'))
    .toEqual([{ nodeId: 2, pid: pidOf(sleeper), identity: await startIdentity(pidOf(sleeper)) }])
  await record.remove()
  expect(await env.disk.readFile(join(folder, 'run.json'))).toBeNull()
})
