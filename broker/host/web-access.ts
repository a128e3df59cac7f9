/**
 * Who may speak to the web server. It listens on loopback, yet every page in the person's browser can reach loopback, so:
 *
 * - a per-start token in the printed address is turned into an HttpOnly, SameSite=Strict cookie, and nothing is served without it;
 * - the Host header must name this server (against DNS rebinding), and the Origin of a WebSocket must be one of its own.
 */
import type { IncomingMessage } from 'node:http'

export const tokenParameter = 'token'

export interface WebAccess {
  readonly token: string
  readonly port: number
  readonly session: string
}

export function isOwnHost(request: IncomingMessage, { port }: WebAccess): boolean {
  return ownHosts(port).includes(request.headers.host ?? '')
}

/** A WebSocket's Origin is set by the browser, never by a page; without one it is no browser, and the cookie decides. */
export function isOwnOrigin(request: IncomingMessage, { port }: WebAccess): boolean {
  const { origin } = request.headers
  return origin === undefined || ownHosts(port).some((host) => origin === `http://${host}`)
}

export function hasCookie(request: IncomingMessage, access: WebAccess): boolean {
  const name = cookieName(access)
  const cookies = (request.headers.cookie ?? '').split(';').map((cookie) => cookie.trim())
  return cookies.some((cookie) => cookie.startsWith(`${name}=`) && isEqual(cookie.slice(name.length + 1), access.session))
}

export function hasToken(url: URL, access: WebAccess): boolean {
  const token = url.searchParams.get(tokenParameter)
  return token !== null && isEqual(token, access.token)
}

export function setCookie(access: WebAccess): string {
  return `${cookieName(access)}=${access.session}; Path=/; HttpOnly; SameSite=Strict`
}

/** Cookies do not keep ports apart; two consoles on one machine need two names. */
function cookieName({ port }: WebAccess): string {
  return `weir-${port}`
}

function ownHosts(port: number): readonly string[] {
  return [`127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`]
}

/** Takes as long for a wrong guess as for the right one. */
function isEqual(a: string, b: string): boolean {
  if (a.length !== b.length) return false
  let difference = 0
  for (let at = 0; at < a.length; at += 1) difference |= a.charCodeAt(at) ^ b.charCodeAt(at)
  return difference === 0
}
