/**
 * The window's files under `app://weir/`, sent with the policy that allows nothing else.
 */
import { readFile } from 'node:fs/promises'
import { extname, join, normalize, resolve, sep } from 'node:path'
import { protocol } from 'electron'
import { contentSecurityPolicy } from '../broker/contract/content-security-policy.ts'

export const APP_SCHEME = 'app'
export const APP_ORIGIN = `${APP_SCHEME}://weir`
export const APP_URL = `${APP_ORIGIN}/index.html`

const contentTypes: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
}

/** Before the app is ready, as Electron demands. */
export function declareAppScheme(): void {
  protocol.registerSchemesAsPrivileged([
    { scheme: APP_SCHEME, privileges: { standard: true, secure: true, supportFetchAPI: true, codeCache: true } },
  ])
}

export function serveAppFiles(root: string): void {
  protocol.handle(APP_SCHEME, (request) => answer(root, request))
}

async function answer(root: string, request: Request): Promise<Response> {
  const path = fileFor(root, request.url)
  if (request.method !== 'GET' || path === null) return plain(404, 'Not found')
  try {
    return new Response(new Uint8Array(await readFile(path)), { headers: headersFor(path) })
  } catch (error) {
    const isMissing = ['ENOENT', 'EISDIR', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')
    return isMissing ? plain(404, 'Not found') : plain(500, 'The file could not be read')
  }
}

/** `null` for another host, and for what would leave the folder. */
export function fileFor(root: string, url: string): string | null {
  const parsed = URL.parse(url)
  if (parsed === null || parsed.host !== 'weir') return null
  let pathname: string
  try {
    pathname = decodeURIComponent(parsed.pathname)
  } catch {
    return null
  }
  if (pathname.includes('\0')) return null
  const base = resolve(root)
  const path = normalize(join(base, pathname === '/' ? 'index.html' : pathname))
  return path.startsWith(base + sep) ? path : null
}

function headersFor(path: string): Record<string, string> {
  return {
    'content-type': contentTypes[extname(path)] ?? 'application/octet-stream',
    'content-security-policy': contentSecurityPolicy,
    'x-content-type-options': 'nosniff',
    'cross-origin-opener-policy': 'same-origin',
  }
}

function plain(status: number, text: string): Response {
  return new Response(text, {
    status,
    headers: { 'content-type': 'text/plain; charset=utf-8', 'content-security-policy': contentSecurityPolicy },
  })
}
