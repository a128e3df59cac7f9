import { expect, test, type Page } from '@playwright/test'
import { startWeir, type WeirProcess } from '../../support/weir-process.ts'
import { addressOf } from './console.ts'
import { clipped, overflow, seriousFindings, watchFor } from './rules.ts'

export interface Gallery {
  readonly origin: string
  /** What a page may never do: speak up, throw, or fetch from elsewhere. Collected from now on. */
  readonly problems: readonly string[]
}

/** Starts what serves the gallery, for the tests of this file; answers how each of them opens it. */
export function serveGallery(): (page: Page) => Promise<Gallery> {
  let weir: WeirProcess
  test.beforeAll(async () => {
    weir = await startWeir(['--ephemeral', '--brokers', '1'], { command: 'serve' })
  })
  test.afterAll(async () => {
    await weir?.stop()
  })
  return async (page) => {
    const { origin } = new URL(addressOf(weir))
    await page.goto(addressOf(weir))
    await page.evaluate(() => localStorage.clear())
    return { origin, problems: watchFor(page, origin) }
  }
}

/** Everything that holds for every picture: `where` names it. */
export async function expectRules(page: Page, where: string): Promise<void> {
  expect.soft(await overflow(page), `sideways overflow of ${where}`).toBe(0)
  expect.soft(await clipped(page), `text cut short without a way to see it, ${where}`).toEqual([])
  expect.soft(await seriousFindings(page), `accessibility of ${where}`).toEqual([])
}
