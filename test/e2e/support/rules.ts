import AxeBuilder from '@axe-core/playwright'
import { expect, type Page } from '@playwright/test'

/** Scripts that ran from data open a dialog; anything fetched from elsewhere, or thrown, counts too. */
export function watchFor(page: Page, origin: string): string[] {
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
export async function settle(page: Page): Promise<void> {
  await page.waitForLoadState('networkidle')
  await page.evaluate(() => document.fonts.ready)
  let before = ''
  await expect
    .poll(async () => {
      const now = await page.evaluate(
        () => document.body.innerText.replace(/\d[\d.,]*/g, '0').length.toString() + document.querySelectorAll('*').length,
      )
      const same = now === before
      before = now
      return same
    })
    .toBe(true)
}

export async function overflow(page: Page): Promise<number> {
  return page.evaluate(() => Math.max(0, document.documentElement.scrollWidth - document.documentElement.clientWidth))
}

/** Cut off by an ellipsis, with no title on it, in it or around it that says the whole. A message opens whole beside the list. */
export async function clipped(page: Page): Promise<string[]> {
  return page.evaluate(() =>
    [...document.querySelectorAll<HTMLElement>('body *')]
      .filter((element) => getComputedStyle(element).textOverflow === 'ellipsis' && element.scrollWidth > element.clientWidth + 1)
      .filter((element) => element.closest('[role="grid"][aria-label="Messages"]') === null)
      .filter(
        (element) => element.innerText.trim() !== '' && element.closest('[title]') === null && element.querySelector('[title]') === null,
      )
      .map((element) => element.innerText.slice(0, 60)),
  )
}

export async function seriousFindings(page: Page): Promise<string[]> {
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
