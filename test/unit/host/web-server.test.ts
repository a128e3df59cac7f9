import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request, type IncomingHttpHeaders } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { WebSocket } from 'ws'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { contentSecurityPolicy } from '../../../broker/contract/content-security-policy.ts'
import { createRealEnv } from '../../../broker/env/real.ts'
import { fileFor, serveWeb, type WebServer } from '../../../broker/host/web-server.ts'

let directory: string
let web: WebServer
let ports = 0
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 })

const env = createRealEnv({ log: { write: () => undefined } })

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'weir-web-'))
  mkdirSync(join(directory, 'screen', 'assets'), { recursive: true })
  writeFileSync(join(directory, 'secret.txt'), 'secret')
  writeFileSync(join(directory, 'screen', 'index.html'), '<!doctype html><title>Weir</title>')
  writeFileSync(join(directory, 'screen', 'assets', 'a.js'), 'export {}')
  ports = 0
  web = await serveWeb(env, { port: 0, rendererDirectory: join(directory, 'screen'), onPort: () => void (ports += 1) })
})
afterEach(async () => {
  await web.close()
  rmSync(directory, { recursive: true })
})

interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** Sends the path as it is: `fetch` would tidy it up. */
function get(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port: web.port, path, method, headers }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks).toString() }),
      )
    })
    sent.on('error', reject)
    sent.end()
  })
}

const tokenPath = (): string => new URL(web.url).pathname + new URL(web.url).search

async function cookie(): Promise<string> {
  const { headers } = await get(tokenPath())
  return (headers['set-cookie']?.[0] ?? '').split(';')[0] ?? ''
}

function connect(headers: Record<string, string>, options: { origin?: string; path?: string } = {}): Promise<string> {
  return new Promise((resolve) => {
    const socket = new WebSocket(`ws://127.0.0.1:${web.port}${options.path ?? '/rpc'}`, { headers, origin: options.origin })
    socket.on('open', () => {
      socket.terminate()
      resolve('open')
    })
    socket.on('unexpected-response', (_request, response) => resolve(String(response.statusCode)))
    socket.on('error', () => resolve('error'))
  })
}

describe('who may come in', () => {
  test('the token becomes a strict cookie and leaves the address', async () => {
    const answer = await get(tokenPath())
    expect(answer.status).toBe(303)
    expect(answer.headers.location).toBe('/')
    expect(answer.headers['set-cookie']?.[0]).toMatch(/^weir-\d+=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/)
    expect(answer.headers['set-cookie']?.[0]).not.toContain(new URL(web.url).searchParams.get('token'))
  })

  test('without a cookie nothing is served, and a wrong token or cookie is none', async () => {
    const guesses: Record<string, string>[] = [{}, { cookie: `weir-${web.port}=guess` }, { cookie: `weir-${web.port}=` }]
    for (const headers of guesses) expect((await get('/', headers)).status).toBe(401)
    expect((await get('/?token=guess')).status).toBe(401)
    expect((await get('/assets/a.js')).status).toBe(401)
  })

  test('with the cookie the screen is served, again after a reload, under a strict policy', async () => {
    const headers = { cookie: await cookie() }
    for (let load = 0; load < 2; load += 1) {
      const answer = await get('/', headers)
      expect(answer).toMatchObject({ status: 200, body: '<!doctype html><title>Weir</title>' })
      expect(answer.headers['content-security-policy']).toBe(contentSecurityPolicy)
      expect(answer.headers['x-content-type-options']).toBe('nosniff')
    }
    expect((await get('/assets/a.js', headers)).headers['content-type']).toMatch(/javascript/)
    expect((await get('/c/embedded/topics', headers)).body).toContain('Weir')
    expect((await get('/assets/missing.js', headers)).status).toBe(404)
    expect((await get('/', headers, 'POST')).status).toBe(405)
  })

  test('a name that was pointed at this machine is refused', async () => {
    const headers = { cookie: await cookie(), host: `evil.example:${web.port}` }
    expect((await get('/', headers)).status).toBe(403)
    expect(await connect(headers)).toBe('403')
  })

  test('a WebSocket needs the cookie and an origin of our own', async () => {
    const headers = { cookie: await cookie() }
    expect(await connect({})).toBe('403')
    expect(await connect(headers, { origin: 'http://evil.example' })).toBe('403')
    expect(await connect(headers, { origin: 'null' })).toBe('403')
    expect(await connect(headers, { path: '/other' })).not.toBe('open')
    expect(ports).toBe(0)
    expect(await connect(headers, { origin: `http://127.0.0.1:${web.port}` })).toBe('open')
    expect(ports).toBe(1)
  })
})

describe('files', () => {
  test('nothing outside the folder is reached, however it is written', async () => {
    const headers = { cookie: await cookie() }
    const paths = [
      '/../secret.txt',
      '/..%2fsecret.txt',
      '/%2e%2e/secret.txt',
      '/assets/..%2f..%2fsecret.txt',
      '/%00',
      '/%zz',
      '//secret.txt',
      '/..\\secret.txt',
    ]
    for (const path of paths) {
      const { status, body } = await get(path, headers)
      expect(body, path).not.toContain('secret')
      expect([400, 404, 200], path).toContain(status)
    }
    expect(fileFor('/screen', '/../secret.txt')).toBeNull()
    expect(fileFor('/screen', '/..%2f..%2fetc/passwd')).toBeNull()
    expect(fileFor('/screen', '/../screen-other/a')).toBeNull()
  })
})

test('a taken port is said', async () => {
  await expect(serveWeb(env, { port: web.port, rendererDirectory: directory, onPort: () => undefined })).rejects.toMatchObject({
    code: 'ADDRESS_INVALID',
    message: `The console could not listen on port ${web.port}: EADDRINUSE.`,
  })
})
