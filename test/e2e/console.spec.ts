import { expect, test } from '@playwright/test'
import { startWeir, type WeirProcess } from '../support/weir-process.ts'

/** The console from a fresh profile: reachable, guarded, and true to what the brokers do. */
let weir: WeirProcess

test.beforeAll(async () => {
  weir = await startWeir(['--ephemeral'], { command: 'serve' })
})
test.afterAll(async () => {
  await weir?.stop()
})

const address = (): string => {
  if (weir.url === undefined) throw new Error('weir serve printed no address')
  return weir.url
}

test('the printed address opens the overview of a cluster with three brokers alive', async ({ page }) => {
  const problems: string[] = []
  page.on('console', (message) => message.type() === 'error' && problems.push(message.text()))
  page.on('pageerror', (error) => problems.push(error.message))
  await page.goto(address())
  for (const { id, port } of weir.brokers) {
    const drawn = page.locator(`[data-broker="${id}:Alive"]`)
    await expect(drawn).toBeVisible()
    await expect(drawn).toContainText(`127.0.0.1:${port}`)
  }
  expect(problems).toEqual([])
})

test('the token leaves the address bar, and a reload needs none', async ({ page }) => {
  await page.goto(address())
  await expect(page.locator('[data-broker="1:Alive"]')).toBeVisible()
  expect(page.url()).not.toContain('token')
  await page.reload()
  await expect(page.locator('[data-broker="1:Alive"]')).toBeVisible()
})

test('without the token the console is closed', async ({ request }) => {
  const { origin } = new URL(address())
  const response = await request.get(`${origin}/`)
  expect(response.status()).toBeGreaterThanOrEqual(400)
})

test('nothing is fetched from anywhere else', async ({ page }) => {
  const { origin } = new URL(address())
  const elsewhere: string[] = []
  page.on('request', (request) => {
    if (!request.url().startsWith(origin) && !request.url().startsWith('data:')) elsewhere.push(request.url())
  })
  await page.goto(address())
  await expect(page.locator('[data-broker="1:Alive"]')).toBeVisible()
  expect(elsewhere).toEqual([])
})

test('a broker that is killed is shown dead', async ({ page }) => {
  await page.goto(address())
  const victim = weir.brokers.at(-1)
  if (victim === undefined) throw new Error('no brokers')
  await expect(page.locator(`[data-broker="${victim.id}:Alive"]`)).toBeVisible()
  process.kill(victim.pid, 'SIGKILL')
  await expect(page.locator(`[data-broker="${victim.id}:Dead"]`)).toBeVisible({ timeout: 2_000 })
  await expect(page.locator('[data-broker="1:Alive"]')).toBeVisible()
})
