import { expect, type Page } from '@playwright/test'
import type { WeirProcess } from '../../support/weir-process.ts'

/** The address `weir serve` printed, with its token. */
export function addressOf(weir: WeirProcess): string {
  if (weir.url === undefined) throw new Error('weir serve printed no address')
  return weir.url
}

/** Opens the overview as a fresh profile sees it, and waits until every broker is drawn alive. */
export async function openOverview(page: Page, weir: WeirProcess): Promise<void> {
  await page.goto(addressOf(weir))
  for (const { id } of weir.brokers) await expect(page.locator(`[data-broker="${id}:Alive"]`)).toBeVisible()
}

/** One action: the palette is opened, something is typed, Enter takes the first that fits. */
export async function command(page: Page, text: string, expected: string | RegExp): Promise<void> {
  await page.keyboard.press('Control+k')
  await page.keyboard.type(text)
  await expect(page.getByRole('option').first()).toContainText(expected)
  await page.keyboard.press('Enter')
}

/** Goes to an address within the page, as a link would. */
export async function goTo(page: Page, hash: string): Promise<void> {
  await page.evaluate((target) => {
    location.hash = target
  }, hash)
}
