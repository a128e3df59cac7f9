import type { Env } from '../env/types.ts'
import { attachToOwner } from '../host/attached-host.ts'
import { holderSentence } from '../runtime/ownership.ts'
import { RuntimeError } from '../runtime/types.ts'
import { namedClusterOptions, type ServeFlags } from './flags.ts'
import { openInBrowser } from './open-in-browser.ts'
import { unlessAsked, whenAsked, type CommandContext } from './until-asked-to-end.ts'

/** What `--json` prints when the console is one onto a cluster that another process runs. */
interface AttachedEvent {
  readonly event: 'attached'
  /** Of this console, the one to signal; the cluster goes on without it. */
  readonly pid: number
  /** Of the process that runs the cluster. */
  readonly ownerPid: number
  readonly bootstrapServers: string | null
  /** With the token that lets a browser in. */
  readonly url: string
}

/** Serves a console onto the cluster that another process runs in this folder, until asked to end or that process has ended. */
export async function serveAttached(
  env: Env,
  flags: ServeFlags,
  place: { readonly dataDirectory: string; readonly version: string; readonly rendererDirectory: string },
  { asked, onReady }: CommandContext,
): Promise<void> {
  const attached = await unlessAsked(asked, () => attachToOwner(env, { ...place, signal: asked }))
  if (attached === null) return
  const { owner } = attached
  try {
    const { url } = await attached.serveWeb({ port: flags.hostPort, rendererDirectory: place.rendererDirectory })
    process.stderr.write(`${place.dataDirectory} ${holderSentence(owner)} This is a console onto that one.\n`)
    const ignored = namedClusterOptions(flags)
    if (ignored.length > 0) process.stderr.write(`What it runs stays as it is: ${ignored.join(', ')} had no effect.\n`)
    const event: AttachedEvent = {
      event: 'attached',
      pid: process.pid,
      ownerPid: owner.pid,
      bootstrapServers: owner.bootstrapServers ?? null,
      url,
    }
    process.stdout.write(
      flags.json === true ? `${JSON.stringify(event)}\n` : `Console: ${url}\nCtrl-C ends this console; the cluster goes on.\n`,
    )
    if (flags.open === true) openInBrowser(url)
    onReady()
    const isLost = await Promise.race([attached.lost.then(() => true), whenAsked(asked).then(() => false)])
    if (isLost)
      throw new RuntimeError('OWNER_GONE', `Process ${owner.pid}, which ran ${place.dataDirectory}, has ended, and this console with it.`)
  } finally {
    await attached.close()
  }
}
