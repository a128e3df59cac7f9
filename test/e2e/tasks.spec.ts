import { expect, test } from '@playwright/test'
import { kcat } from '../compat/support/kcat.ts'
import { startWeir, type WeirProcess } from '../support/weir-process.ts'
import { command, openOverview } from './support/console.ts'

/** What people come for, from a fresh profile, with the keyboard alone, in at most three actions from Overview. */
let weir: WeirProcess

test.beforeAll(async () => {
  weir = await startWeir(['--ephemeral', '--demo'], { command: 'serve' })
})
test.afterAll(async () => {
  await weir?.stop()
})
test.beforeEach(async ({ page, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write'])
  await openOverview(page, weir)
})

test('copy the address', async ({ page }) => {
  await page.keyboard.press('c')
  await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toBe(weir.bootstrapServers)
})

test("find truck_42's latest record", async ({ page }) => {
  const seen = await kcat(['-C', '-b', weir.bootstrapServers, '-t', 'trucks_gps', '-o', 'beginning', '-e', '-q', '-f', '%k %p %o\n'])
  const latest = seen
    .split('\n')
    .filter((line) => line.startsWith('truck_42 '))
    .map((line) => Number(line.split(' ')[2]))
    .at(-1)!
  await command(page, 'truck_42', 'truck_42')
  const record = page.getByRole('complementary', { name: /^Record \d+ of partition \d+$/ })
  await expect(record).toBeVisible()
  await expect(page.getByRole('row', { selected: true })).toContainText('truck_42')
  // Newest first: what is open is the last there was when it was looked for, or one written since.
  const [, offset] = /^Record (\d+)/.exec((await record.getAttribute('aria-label')) ?? '') ?? []
  expect(Number(offset)).toBeGreaterThanOrEqual(latest)
})

test('send a tombstone', async ({ page }) => {
  await command(page, 'tombstone e2e_key in trucks_gps', 'tombstone')
  await expect(page.getByRole('dialog', { name: 'Produce a record' })).toBeVisible()
  await page.keyboard.press('Control+Enter')
  await expect(
    page
      .getByRole('dialog')
      .getByText(/partition \d+/i)
      .first(),
  ).toBeVisible()
  const read = await kcat(['-C', '-b', weir.bootstrapServers, '-t', 'trucks_gps', '-o', 'beginning', '-e', '-q', '-f', '%k %S\n'])
  expect(read.split('\n')).toContain('e2e_key -1')
})

test('name the most lagging partition, kill its leader and see it dead', async ({ page }) => {
  // A reader slowed down falls behind; that is not one of the actions counted, but what makes them meaningful.
  await page.getByRole('switch').first().click()
  const worst = page
    .getByRole('region', { name: 'What hurts' })
    .getByText(/^trucks_gps-\d+$/)
    .first()
  await expect(worst).toBeVisible()

  await page.keyboard.press('Control+k')
  await page.keyboard.type('kill leader of the most lagging')
  const entry = page.getByRole('option').first()
  await expect(entry).toContainText(/most lagging partition: broker \d/)
  const victim = /broker (\d)/.exec((await entry.textContent()) ?? '')![1]!
  const pressedMs = Date.now()
  await page.keyboard.press('Enter')
  await expect(page.locator(`[data-broker="${victim}:Dead"]`)).toBeVisible()
  test.info().annotations.push({ type: 'seen dead after', description: `${Date.now() - pressedMs} ms` })
  for (const { id } of weir.brokers.filter((broker) => String(broker.id) !== victim)) {
    await expect(page.locator(`[data-broker="${id}:Alive"]`)).toBeVisible()
  }

  await page.keyboard.press('l')
  await expect(page).toHaveURL(/topics\/trucks_gps\/partitions\?partition=\d+/)
})
