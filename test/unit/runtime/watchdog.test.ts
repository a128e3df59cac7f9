import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { startIdentity } from '../../../broker/runtime/process-identity.ts'

const watchdogSource = join(import.meta.dirname, '../../../broker/runtime/watchdog.ts')

/** An owner with two processes under watch, one of them paused, and a third that it was seen to lose. */
const ownerScript = (folder: string): string => `
  import { spawn } from 'node:child_process'
  import { startWatchdog } from ${JSON.stringify(watchdogSource)}
  const sleeper = () => spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1e6)'], { stdio: 'ignore', detached: true })
  const watchdog = startWatchdog({ removeDirectory: ${JSON.stringify(folder)}, onFailure: (reason) => console.error(reason) })
  const [live, paused, forgotten] = [sleeper(), sleeper(), sleeper()]
  for (const { pid } of [live, paused, forgotten]) watchdog.watch(pid)
  watchdog.forget(forgotten.pid)
  process.kill(paused.pid, 'SIGSTOP')
  console.log(JSON.stringify({ live: live.pid, paused: paused.pid, forgotten: forgotten.pid }))
  process.on('message', () => undefined)
  setInterval(() => undefined, 1e6)`

async function startOwner(folder: string) {
  const owner = spawn(process.execPath, ['--input-type=module', '-e', ownerScript(folder)], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = (await once(owner.stdout, 'data')) as [Buffer]
  return { owner, pids: JSON.parse(line.toString('utf8')) as { live: number; paused: number; forgotten: number } }
}

test.skipIf(process.platform === 'win32')(
  'when the owner is killed, what it watched ends, paused or not, and its temporary folder goes',
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'weir-watched-'))
    await writeFile(join(folder, 'data'), 'x')
    const { owner, pids } = await startOwner(folder)
    try {
      owner.kill('SIGKILL')
      await expect.poll(() => startIdentity(pids.live), { timeout: 5_000 }).toBeNull()
      await expect.poll(() => startIdentity(pids.paused), { timeout: 5_000 }).toBeNull()
      await expect.poll(() => stat(folder).catch(() => null), { timeout: 5_000 }).toBeNull()
      expect(await startIdentity(pids.forgotten)).not.toBeNull()
    } finally {
      process.kill(pids.forgotten, 'SIGKILL')
      await rm(folder, { recursive: true, force: true })
    }
  },
)
