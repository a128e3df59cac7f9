import AxeBuilder from '@axe-core/playwright'
import { expect, test, type Page } from '@playwright/test'
import { scenes, type Scene } from '../../renderer/gallery/scenes.ts'
import { longestGroupId, longestName } from '../../renderer/gallery/fixtures/hostile.ts'
import { startWeir, type WeirProcess } from '../support/weir-process.ts'
import { addressOf } from './support/console.ts'

/** Every page in every state, dark and light, on a stand-in host made of fixtures: looked at by rules here, and by people in test-results/gallery. */
const ROWS_MIN = 18
const SHIFT_MAX = 0.02

const topicOf = (scene: Scene): string => (scene === 'worst' ? longestName : 'trucks_gps')
const groupOf = (scene: Scene): string => encodeURIComponent(scene === 'worst' ? longestGroupId : 'location-dashboard')
const pages: Readonly<Record<string, (scene: Scene) => string>> = {
  overview: () => '/c/local/overview',
  topics: () => '/c/local/topics',
  messages: (scene) => `/c/local/topics/${topicOf(scene)}/messages`,
  partitions: (scene) => `/c/local/topics/${topicOf(scene)}/partitions`,
  consumers: (scene) => `/c/local/topics/${topicOf(scene)}/consumers`,
  'topic-settings': (scene) => `/c/local/topics/${topicOf(scene)}/settings`,
  groups: () => '/c/local/groups',
  group: (scene) => `/c/local/groups/${groupOf(scene)}`,
  brokers: () => '/c/local/brokers',
  activity: () => '/activity',
  settings: () => '/settings',
}

test.describe.configure({ timeout: 300_000 })

let weir: WeirProcess
test.beforeAll(async () => {
  weir = await startWeir(['--ephemeral', '--brokers', '1'], { command: 'serve' })
})
test.afterAll(async () => {
  await weir?.stop()
})

for (const theme of ['dark', 'light'] as const) {
  for (const [name, address] of Object.entries(pages)) {
    test(`${name}, ${theme}, in every state`, async ({ page }) => {
      const { origin } = new URL(addressOf(weir))
      await page.goto(addressOf(weir))
      await page.evaluate(() => localStorage.clear())
      const problems = watchFor(page, origin)
      for (const scene of scenes) {
        await page.goto(`${origin}/?gallery=${scene}&theme=${theme}#${address(scene)}`)
        await settle(page)
        await page.screenshot({ path: `test-results/gallery/${name}-${scene}-${theme}.png` })
        const where = `${name}, ${scene}, ${theme}`
        expect.soft(await layoutShift(page), `layout shift of ${where}`).toBeLessThan(SHIFT_MAX)
        expect.soft(await overflow(page), `sideways overflow of ${where}`).toBe(0)
        expect.soft(await clipped(page), `text cut short without a way to see it, ${where}`).toEqual([])
        expect.soft(await seriousFindings(page), `accessibility of ${where}`).toEqual([])
        expect.soft(await page.evaluate(() => '__breached' in window), `a script from data ran in ${where}`).toBe(false)
        if (name === 'messages' && scene === 'populated') expect.soft(await rowsInSight(page), where).toBeGreaterThanOrEqual(ROWS_MIN)
      }
      expect(problems).toEqual([])
    })
  }
}

/** Scripts that ran from data open a dialog; anything fetched from elsewhere, or thrown, counts too. */
function watchFor(page: Page, origin: string): string[] {
  const problems: string[] = []
  page.on('dialog', (dialog) => {
    problems.push(`dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  page.on('pageerror', (error) => problems.push(`error: ${error.message}`))
  page.on('request', (request) => {
    if (!request.url().startsWith(origin) && !request.url().startsWith('data:')) problems.push(`request: ${request.url()}`)
  })
  return problems
}

/** The page is what it will be: fonts are there, and two frames in a row look alike. */
async function settle(page: Page): Promise<void> {
  await page.waitForLoadState('networkidle')
  await page.evaluate(() => document.fonts.ready)
  let before = ''
  await expect
    .poll(async () => {
      const now = await page.evaluate(
        () => document.body.innerText.replace(/\d+/g, '0').length.toString() + document.querySelectorAll('*').length,
      )
      const same = now === before
      before = now
      return same
    })
    .toBe(true)
}

async function layoutShift(page: Page): Promise<number> {
  return page.evaluate(
    () =>
      new Promise<number>((resolve) => {
        let total = 0
        new PerformanceObserver((list) => {
          for (const entry of list.getEntries() as unknown as { value: number }[]) total += entry.value
        }).observe({ type: 'layout-shift', buffered: true })
        requestAnimationFrame(() => requestAnimationFrame(() => resolve(total)))
      }),
  )
}

async function overflow(page: Page): Promise<number> {
  return page.evaluate(() => Math.max(0, document.documentElement.scrollWidth - document.documentElement.clientWidth))
}

/** Cut off by an ellipsis, with no title on it, in it or around it that says the whole. A message opens whole beside the list. */
async function clipped(page: Page): Promise<string[]> {
  return page.evaluate(() =>
    [...document.querySelectorAll<HTMLElement>('#app *')]
      .filter((element) => getComputedStyle(element).textOverflow === 'ellipsis' && element.scrollWidth > element.clientWidth + 1)
      .filter((element) => element.closest('[role="grid"][aria-label="Messages"]') === null)
      .filter(
        (element) => element.innerText.trim() !== '' && element.closest('[title]') === null && element.querySelector('[title]') === null,
      )
      .map((element) => element.innerText.slice(0, 60)),
  )
}

async function seriousFindings(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).analyze()
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(
      ({ id, nodes }) =>
        `${id}: ${nodes
          .slice(0, 3)
          .map(({ target }) => target.join(' '))
          .join(' | ')}`,
    )
}

async function rowsInSight(page: Page): Promise<number> {
  return page.getByRole('grid', { name: 'Messages' }).evaluate((grid) => {
    const { top, bottom } = grid.getBoundingClientRect()
    return [...grid.querySelectorAll('[role="row"]')].filter((row) => {
      const box = row.getBoundingClientRect()
      return row.querySelector('[role="gridcell"]') !== null && box.top >= top && box.bottom <= bottom + 1
    }).length
  })
}
