import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

export type Desktop = { readonly binary: string } | { readonly missing: string }

const electronFolder = resolve(import.meta.dirname, '../node_modules/electron')
const fetchWithinMs = 300_000

/**
 * Electron's binary, fetched at the first start; or the reason, for people, why there is no window. The `electron`
 * package is never imported here: importing it is what fetches, loudly.
 */
export async function findDesktop(environment: NodeJS.ProcessEnv = process.env): Promise<Desktop> {
  const obstacle = obstacleToWindow(environment)
  if (obstacle !== null) return { missing: obstacle }
  const present = installedBinary()
  if (present !== null) return { binary: present }
  process.stderr.write('Fetching Electron, once ...\n')
  const failure = await fetchElectron()
  const fetched = installedBinary()
  if (fetched !== null) return { binary: fetched }
  return { missing: `Electron could not be fetched (${failure ?? 'it is not where it should be'})` }
}

function obstacleToWindow(environment: NodeJS.ProcessEnv): string | null {
  if (environment['WEIR_CONSOLE'] === 'browser') return 'WEIR_CONSOLE=browser asks for none'
  if (process.platform !== 'linux') return null
  if (!environment['DISPLAY'] && !environment['WAYLAND_DISPLAY']) return 'there is no display'
  if (process.getuid?.() === 0) return 'Electron does not run as root'
  return null
}

function installedBinary(): string | null {
  const pathFile = join(electronFolder, 'path.txt')
  if (!existsSync(pathFile)) return null
  const binary = join(electronFolder, 'dist', readFileSync(pathFile, 'utf8').trim())
  return existsSync(binary) ? binary : null
}

/** Resolves with the reason when it fails. */
function fetchElectron(): Promise<string | null> {
  return new Promise((done) => {
    const installer = spawn(process.execPath, [join(electronFolder, 'install.js')], {
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: fetchWithinMs,
    })
    let problem = ''
    installer.stderr.on('data', (chunk: Buffer) => {
      problem = (problem + chunk.toString('utf8')).slice(0, 4096)
    })
    installer.on('error', (error) => done(error.message))
    installer.on('close', (code) => done(code === 0 ? null : firstCause(problem)))
  })
}

function firstCause(problem: string): string {
  const cause = /(?:ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ECONNRESET)[^\n]*/.exec(problem)?.[0]
  return (cause ?? problem.split('\n', 1)[0] ?? '').trim() || 'no reason given'
}
