import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createRealEnv } from '../../../broker/env/real.ts'
import { claimFolder, findOwner } from '../../../broker/runtime/ownership.ts'

const env = createRealEnv()
let folder = ''

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weir-owner-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

/** Another process that claims the folder and keeps it. */
async function claimElsewhere(): Promise<{ pid: number; kill(): Promise<void> }> {
  const root = join(import.meta.dirname, '../../../broker')
  const script = `
    import { createRealEnv } from ${JSON.stringify(join(root, 'env/real.ts'))}
    import { claimFolder } from ${JSON.stringify(join(root, 'runtime/ownership.ts'))}
    await claimFolder(createRealEnv(), ${JSON.stringify(folder)}, process.pid)
    console.log('claimed')
    setInterval(() => undefined, 1e6)`
  const holder = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(holder.stdout, 'data')
  return {
    pid: holder.pid ?? -1,
    async kill() {
      const ended = once(holder, 'exit')
      holder.kill('SIGKILL')
      await ended
    },
  }
}

test('a second owner is refused and told who the first is', async () => {
  const holder = await claimElsewhere()
  try {
    expect(await findOwner(env, folder)).toMatchObject({ pid: holder.pid, socketPath: expect.any(String) })
    const refused = claimFolder(env, folder, process.pid)
    await expect(refused).rejects.toMatchObject({ code: 'FOLDER_IN_USE', message: expect.stringContaining(String(holder.pid)) })
  } finally {
    await holder.kill()
  }
})

test('the folder is free as soon as its owner is dead, however it died', async () => {
  const holder = await claimElsewhere()
  await holder.kill()
  expect(await findOwner(env, folder)).toBeNull()
  const ownership = await claimFolder(env, folder, process.pid)
  await ownership.release()
})

test('an owner that releases leaves nobody behind', async () => {
  const ownership = await claimFolder(env, folder, process.pid)
  await ownership.release()
  expect(await findOwner(env, folder)).toBeNull()
})

test('a path too long for a Unix socket is served from the temporary folder', async () => {
  const deep = join(folder, 'x'.repeat(120))
  const ownership = await claimFolder(env, deep, process.pid)
  expect(Buffer.byteLength(ownership.socketPath)).toBeLessThanOrEqual(103)
  await ownership.release()
})
