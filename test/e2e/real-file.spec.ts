import { expect, test } from '@playwright/test'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { kcat } from '../compat/support/kcat.ts'
import { until } from '../support/until.ts'
import { startWeir, type WeirProcess } from '../support/weir-process.ts'
import { goTo, openOverview } from './support/console.ts'

/** A real file of this machine, the package manager's list of everything it installed, produced with kcat and looked at. */
const LISTS = '/var/lib/dpkg/info'
const LINES_MIN = 50_000
const SOUGHT = '/usr/share/doc/'
const TOPIC = 'installed-files'

let weir: WeirProcess
let folder: string
let lines: string[]
let middleMs: number

test.beforeAll(async () => {
  lines = readdirSync(LISTS)
    .filter((name) => name.endsWith('.list'))
    .sort()
    .flatMap((name) => readFileSync(join(LISTS, name), 'utf8').split('\n'))
    .filter((line) => line !== '')
  expect(lines.length).toBeGreaterThan(LINES_MIN)
  folder = mkdtempSync(join(tmpdir(), 'weir-e2e-'))
  weir = await startWeir(['--ephemeral'], { command: 'serve' })
  const half = Math.floor(lines.length / 2)
  await send(lines.slice(0, half))
  // Timestamps have a resolution of a millisecond: the second half must begin in a later one.
  const sentMs = Date.now()
  await until('the next millisecond', () => Date.now() > sentMs)
  middleMs = Date.now()
  await send(lines.slice(half))
})
test.afterAll(async () => {
  await weir?.stop()
  rmSync(folder, { recursive: true, force: true })
})

async function send(part: readonly string[]): Promise<void> {
  const file = join(folder, 'part')
  writeFileSync(file, `${part.join('\n')}\n`)
  await kcat(['-P', '-b', weir.bootstrapServers, '-t', TOPIC, '-p', '0', '-X', 'acks=all', '-l', file])
}

test('every line is there, is found by its text, and is reached by its time', async ({ page }) => {
  await openOverview(page, weir)
  const status = page.getByLabel('Progress').getByRole('status')
  const grid = page.getByRole('grid', { name: 'Messages' })
  const firstValue = () => grid.getByRole('row').nth(1).getByRole('gridcell').nth(4)

  await goTo(page, `#/c/embedded/topics/${TOPIC}/messages`)
  await expect(page.getByText(`${lines.length.toLocaleString('en-US')} records`).first()).toBeVisible()
  await expect(firstValue()).toHaveText(lines.at(-1)!)

  await page.keyboard.press('/')
  await page.keyboard.type(SOUGHT)
  const matching = lines.filter((line) => line.toLowerCase().includes(SOUGHT))
  await expect(status).toContainText(`${matching.length.toLocaleString('en-US')} of ${lines.length.toLocaleString('en-US')} match`)
  await expect(firstValue()).toHaveText(matching.at(-1)!)

  await goTo(page, `#/c/embedded/topics/${TOPIC}/messages?from=time:${middleMs}&order=oldest-first`)
  await expect(firstValue()).toHaveText(lines[Math.floor(lines.length / 2)]!)
})
