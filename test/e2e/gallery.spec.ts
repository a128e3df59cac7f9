import { expect, test, type Page } from '@playwright/test'
import { scenes, type Scene } from '../../renderer/gallery/scenes.ts'
import { longestGroupId, longestName } from '../../renderer/gallery/fixtures/hostile.ts'
import { expectRules, serveGallery } from './support/gallery.ts'
import { settle } from './support/rules.ts'

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

const openGallery = serveGallery()

for (const theme of ['dark', 'light'] as const) {
  for (const [name, address] of Object.entries(pages)) {
    test(`${name}, ${theme}, in every state`, async ({ page }) => {
      const { origin, problems } = await openGallery(page)
      for (const scene of scenes) {
        await page.goto(`${origin}/?gallery=${scene}&theme=${theme}#${address(scene)}`)
        if (scene === 'disconnected') await page.getByText('The Weir host does not answer.').waitFor()
        await settle(page)
        await page.screenshot({ path: `test-results/gallery/${name}-${scene}-${theme}.png` })
        const where = `${name}, ${scene}, ${theme}`
        expect.soft(await layoutShift(page), `layout shift of ${where}`).toBeLessThan(SHIFT_MAX)
        await expectRules(page, where)
        expect.soft(await page.evaluate(() => '__breached' in window), `a script from data ran in ${where}`).toBe(false)
        if (name === 'messages' && scene === 'populated') expect.soft(await rowsInSight(page), where).toBeGreaterThanOrEqual(ROWS_MIN)
      }
      expect(problems).toEqual([])
    })
  }
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

async function rowsInSight(page: Page): Promise<number> {
  return page.getByRole('grid', { name: 'Messages' }).evaluate((grid) => {
    const { top, bottom } = grid.getBoundingClientRect()
    return [...grid.querySelectorAll('[role="row"]')].filter((row) => {
      const box = row.getBoundingClientRect()
      return row.querySelector('[role="gridcell"]') !== null && box.top >= top && box.bottom <= bottom + 1
    }).length
  })
}
