import { shell } from 'electron'

const schemes: ReadonlySet<string> = new Set(['https:', 'http:'])
const lengthMax = 2048

/**
 * The single way out of the window. Only web addresses leave, whatever a topic name, key or header pretends to be; resolves
 * whether this one did.
 */
export async function openExternalLink(url: string): Promise<boolean> {
  const parsed = url.length > lengthMax ? null : URL.parse(url)
  if (parsed === null || !schemes.has(parsed.protocol) || parsed.username !== '' || parsed.password !== '') return false
  await shell.openExternal(parsed.href)
  return true
}
