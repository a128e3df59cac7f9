import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { contentSecurityPolicy } from '../../../broker/contract/content-security-policy.ts'

let handler: ((request: Request) => Promise<Response>) | null = null
const handle = (_scheme: string, given: typeof handler): void => void (handler = given)
vi.doMock('electron', () => ({ protocol: { handle, registerSchemesAsPrivileged: vi.fn() } }))
const { fileFor, serveAppFiles } = await import('../../../electron/app-protocol.ts')

let root = ''
beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'weir-files-'))
  root = join(folder, 'renderer')
  await mkdir(join(root, 'assets'), { recursive: true })
  await writeFile(join(root, 'index.html'), '<!doctype html>')
  await writeFile(join(root, 'assets/a.js'), 'export {}')
  await writeFile(join(folder, 'secret'), 'secret')
  serveAppFiles(root)
})
afterAll(() => rm(join(root, '..'), { recursive: true, force: true }))

async function get(url: string, method = 'GET'): Promise<Response> {
  if (handler === null) throw new Error('nothing serves app://')
  return handler({ url, method } as Request)
}

test('a file is served with its type under the policy', async () => {
  const response = await get('app://weir/assets/a.js')
  expect(response.status).toBe(200)
  expect(response.headers.get('content-type')).toContain('text/javascript')
  expect(response.headers.get('content-security-policy')).toBe(contentSecurityPolicy)
  expect(await response.text()).toBe('export {}')
})

test('the root is the page', async () => {
  expect((await get('app://weir/')).headers.get('content-type')).toContain('text/html')
})

test.each([
  'app://weir/..%2fsecret',
  'app://weir/%2e%2e/secret',
  'app://weir/assets/..%2f..%2fsecret',
  'app://weir/%00',
  'app://weir/%ff',
  'app://other/index.html',
  'nonsense',
])('%s leads nowhere', async (url) => {
  expect((await get(url)).status).toBe(404)
})

test('a folder and a missing file are not found, and nothing can be written', async () => {
  expect((await get('app://weir/assets')).status).toBe(404)
  expect((await get('app://weir/none.js')).status).toBe(404)
  expect((await get('app://weir/index.html', 'PUT')).status).toBe(404)
})

test('no script but our own files runs, and nothing is fetched from elsewhere', () => {
  const directives = new Map(contentSecurityPolicy.split('; ').map((line) => [line.split(' ', 1)[0], line]))
  expect(directives.get('default-src')).toBe("default-src 'none'")
  expect(directives.get('script-src')).toBe("script-src 'self'")
  expect(contentSecurityPolicy).not.toMatch(/https?:|\*|unsafe-eval/)
})

test('a path is never outside the folder', () => {
  expect(fileFor('/srv/renderer', 'app://weir/a/../index.html')).toBe('/srv/renderer/index.html')
  expect(fileFor('/srv/renderer', 'app://weir/..%2frenderer-other/x')).toBeNull()
})
