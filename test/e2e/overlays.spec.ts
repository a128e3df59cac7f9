import { expect, test, type Page } from '@playwright/test'
import { longestGroupId, longestName } from '../../renderer/gallery/fixtures/hostile.ts'
import { expectRules, serveGallery } from './support/gallery.ts'
import { settle } from './support/rules.ts'

/** Everything that opens over a page, with the worst data there is, dark and light; opened with the keyboard. */
const group = `/c/local/groups/${encodeURIComponent(longestGroupId)}`
const messages = `/c/local/topics/${longestName}/messages`

const OPEN_TOAST = 'li[data-state="open"]'

interface Overlay {
  readonly at: string
  open(page: Page): Promise<void>
  /** What is there once it is open. */
  readonly shown: string
}

async function byPalette(page: Page, text: string): Promise<void> {
  await page.keyboard.press('Control+k')
  await page.keyboard.type(text)
  await expect(page.getByRole('option').first()).toBeVisible()
  await page.keyboard.press('Enter')
}

async function byMenu(page: Page, item: string): Promise<void> {
  await page.getByLabel('More actions').press('Enter')
  await page.getByRole('menuitem', { name: item }).press('Enter')
}

/** F8 takes the focus to the toasts, and while it is there none of them goes. */
async function copyAddress(page: Page): Promise<void> {
  await expect(async () => {
    await page.keyboard.press('c')
    await page.keyboard.press('F8')
    await expect(page.locator(OPEN_TOAST)).toBeVisible({ timeout: 1_000 })
  }).toPass()
}

const overlays: Readonly<Record<string, Overlay>> = {
  'a toast': { at: '/c/local/overview', open: copyAddress, shown: OPEN_TOAST },
  'the palette': { at: '/c/local/overview', open: (page) => page.keyboard.press('Control+k'), shown: 'role=option' },
  'the keyboard help': { at: '/c/local/overview', open: (page) => page.keyboard.press('?'), shown: 'role=dialog' },
  'the produce drawer': { at: messages, open: (page) => page.keyboard.press('p'), shown: 'role=dialog' },
  'creating a topic': { at: '/c/local/topics', open: (page) => page.keyboard.press('n'), shown: 'role=dialog' },
  'deleting records': { at: messages, open: (page) => byMenu(page, 'Delete records'), shown: 'text=/will be deleted/' },
  'adding partitions': { at: messages, open: (page) => byMenu(page, 'Add partitions'), shown: 'role=dialog' },
  'deleting a topic': { at: messages, open: (page) => byMenu(page, 'Delete the topic'), shown: 'text=/records are lost/' },
  'resetting offsets': {
    at: group,
    open: (page) => page.getByRole('button', { name: 'Reset offsets' }).press('Enter'),
    shown: 'role=table[name="Offsets before and after"]',
  },
  'deleting a group': { at: group, open: (page) => page.getByLabel('Delete the group').press('Enter'), shown: 'role=dialog' },
  'adding a connection': { at: '/settings', open: (page) => byPalette(page, 'add a connection'), shown: 'role=textbox' },
}

const openGallery = serveGallery()

for (const theme of ['dark', 'light'] as const) {
  for (const [name, overlay] of Object.entries(overlays)) {
    test(`${name}, ${theme}, breaks no rule`, async ({ page }) => {
      const { origin, problems } = await openGallery(page)
      await page.goto(`${origin}/?gallery=worst&theme=${theme}#${overlay.at}`)
      await settle(page)
      await overlay.open(page)
      await expect(page.locator(overlay.shown).first()).toBeVisible()
      await settle(page)
      await page.screenshot({ path: `test-results/gallery/overlay ${name} ${theme}.png` })
      await expectRules(page, `${name}, ${theme}`)
      expect(problems).toEqual([])
    })
  }
}
