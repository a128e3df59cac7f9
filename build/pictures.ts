/**
 * `npm run pictures`: the README's pictures, from a real run: a fresh cluster with the sample workload, in Chromium. The trucks drive
 * ten times as fast and one group is slowed, so that lag is to be seen; one broker is killed at the end.
 */
import { spawn } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { chromium, type Locator, type Page } from 'playwright'

const root = resolve(import.meta.dirname, '..')
const folder = join(import.meta.dirname, 'pictures')
const cluster = 'embedded'
const topic = 'trucks_gps'
const group = 'location-dashboard'
/** Long enough for rates and lag to have a past. */
const settleMs = Number(process.env['WEIR_PICTURES_SETTLE_MS'] ?? 45_000)
/** For what moves while it is drawn: a chart, a changed state. */
const drawMs = 1_500

interface Serving {
  readonly url: string
  readonly brokers: readonly { readonly id: number; readonly pid: number; readonly port: number }[]
}

async function serve(): Promise<{ serving: Serving; end(): Promise<void> }> {
  const parameters = [join(root, 'build/weir.mjs'), 'serve', '--ephemeral', '--demo', '--json']
  const child = spawn(process.execPath, parameters, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = new Promise<void>((done) => child.on('exit', () => done()))
  const lines = createInterface({ input: child.stdout })
  for await (const line of lines) {
    const serving = JSON.parse(line) as Serving
    return {
      serving,
      end() {
        child.kill('SIGTERM')
        return ended
      },
    }
  }
  throw new Error('weir ended before it was ready')
}

async function picture(page: Page, name: string, route: string, untilSeen: Locator): Promise<void> {
  await page.evaluate((hash) => (window.location.hash = hash), `#${route}`)
  await untilSeen.first().waitFor()
  // Charts and histograms come after the rows; whatever is still to come has a skeleton in its place.
  await page.waitForFunction(() => document.querySelector('main .skeleton') === null)
  await page.waitForTimeout(drawMs)
  await page.screenshot({ path: join(folder, `${name}.png`) })
}

const weir = await serve()
const { serving } = weir
const browser = await chromium.launch({
  executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
  args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
})
try {
  await mkdir(folder, { recursive: true })
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 }, deviceScaleFactor: 1, colorScheme: 'dark' })
  await page.goto(serving.url)
  await page.getByRole('switch').first().click()
  await page.getByText('×10', { exact: true }).click()
  await page.waitForTimeout(settleMs)
  await picture(page, 'overview', `/c/${cluster}/overview`, page.locator('[data-broker="3:Alive"]'))
  await picture(page, 'topics', `/c/${cluster}/topics`, page.getByText(topic))
  await picture(page, 'messages', `/c/${cluster}/topics/${topic}/messages`, page.getByText('truck_'))
  await picture(page, 'partitions', `/c/${cluster}/topics/${topic}/partitions`, page.getByText(group))
  await picture(page, 'group', `/c/${cluster}/groups/${group}`, page.getByText(topic))
  const victim = serving.brokers.at(-1)
  if (victim !== undefined) process.kill(victim.pid, 'SIGKILL')
  await picture(page, 'brokers', `/c/${cluster}/brokers`, page.getByText('Dead'))
} finally {
  await browser.close()
  await weir.end()
}
