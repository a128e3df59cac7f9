/** The console in a real browser: from the start to data, and how its thread fares while records pour in. */
import { existsSync } from 'node:fs'
import { performance } from 'node:perf_hooks'
import { setTimeout as pause } from 'node:timers/promises'
import { chromium, type Browser, type Page } from 'playwright'
import { startWeir, type WeirProcess } from '../support/weir-process.ts'
import { clientOf, type BenchTarget } from './cluster.ts'
import { median, type Chapter, type Figure } from './figure.ts'

const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium'
/** As root, in a container, Chromium has to run without its sandbox. */
const ARGUMENTS = [
  ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
]
const TITLE = 'The console in Chromium'
const WINDOW_BUDGET = { relation: '<', value: 1500 } as const
const TASK_BUDGET = { relation: '<', value: 50 } as const
const TAIL_PER_SECOND = 10_000
const TICK_MS = 10
const SETTLE_MS = 3_000
/** A screenful, and the header. */
const ROWS_MIN = 10

/** Collected in the page: the browser tells of every task of the main thread above 50 ms. */
declare global {
  interface Window {
    benchTasksMs: number[]
  }
}

export async function screenChapter(rounds: number, seconds: number): Promise<Chapter> {
  if (!existsSync(CHROMIUM)) return { title: TITLE, figures: [], notes: [`Skipped: there is no Chromium at ${CHROMIUM}.`] }
  const weir = await startWeir(['--ephemeral'], { command: 'serve' })
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ARGUMENTS })
  try {
    const openMs: number[] = []
    for (let round = 0; round < rounds; round++) openMs.push(await windowStart(browser, weir))
    const figures: Figure[] = [
      { name: 'window, from opening to every broker drawn, median', value: median(openMs), unit: 'ms', budget: WINDOW_BUDGET },
      { name: 'window, slowest', value: Math.max(...openMs), unit: 'ms' },
    ]
    return { title: TITLE, figures: [...figures, ...(await liveTail(browser, weir, seconds))] }
  } finally {
    await browser.close()
    await weir.stop()
  }
}

/** With a fresh profile each time. */
async function windowStart(browser: Browser, weir: WeirProcess): Promise<number> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } })
  try {
    const page = await context.newPage()
    const startMs = performance.now()
    await openOverview(page, weir)
    return performance.now() - startMs
  } finally {
    await context.close()
  }
}

async function openOverview(page: Page, { url, brokers }: WeirProcess): Promise<void> {
  if (url === undefined) throw new Error('weir serve printed no address')
  await page.goto(url)
  for (const { id } of brokers) await page.locator(`[data-broker="${id}:Alive"]`).waitFor()
}

async function liveTail(browser: Browser, weir: WeirProcess, seconds: number): Promise<Figure[]> {
  const target = clientOf(weir.bootstrapServers)
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } })
  try {
    await target.createTopic('tail', 6)
    const page = await context.newPage()
    await page.addInitScript(() => {
      window.benchTasksMs = []
      const note = (list: PerformanceObserverEntryList) => window.benchTasksMs.push(...list.getEntries().map(({ duration }) => duration))
      new PerformanceObserver(note).observe({ entryTypes: ['longtask'] })
    })
    await openOverview(page, weir)
    await page.evaluate(() => {
      location.hash = location.hash.replace(/\/overview.*$/, '/topics/tail/messages?live=1')
    })
    const sending = produceSteadily(target, 'tail', seconds + SETTLE_MS / 1000)
    // The list has been drawn, and what runs often has been compiled.
    await pause(SETTLE_MS)
    await page.evaluate(() => void (window.benchTasksMs = []))
    const rowCount = await page.locator('[role="row"]').count()
    if (rowCount < ROWS_MIN) throw new Error(`the live tail shows ${rowCount} rows, not the records that come in`)
    const perSecond = await sending
    const tasksMs = await page.evaluate(() => window.benchTasksMs)
    return [
      {
        name: `live tail of ${perSecond.toFixed(0)} records/s: longest task of the main thread (0: none above 50)`,
        value: Math.max(0, ...tasksMs),
        unit: 'ms',
        budget: TASK_BUDGET,
      },
      { name: 'live tail: tasks above 50 ms', value: tasksMs.length, unit: `in ${seconds} s` },
    ]
  } finally {
    await target.client.close()
    await context.close()
  }
}

/** Resolves with the records sent a second. */
async function produceSteadily({ client }: Omit<BenchTarget, 'processes'>, topic: string, seconds: number): Promise<number> {
  const producer = client.producer({ acks: 1 })
  const startMs = performance.now()
  let sent = 0
  let elapsedMs = 0
  while (elapsedMs < seconds * 1000) {
    const due = Math.floor((elapsedMs / 1000) * TAIL_PER_SECOND)
    const records = Array.from({ length: due - sent }, (_, index) => ({
      topic,
      key: `truck_${(sent + index) % 200}`,
      value: JSON.stringify({ id: sent + index, latitude: 52.5 + index / 1e4, longitude: 13.4, note: 'on its way' }),
    }))
    sent = due
    await producer.sendAll(records)
    await pause(TICK_MS)
    elapsedMs = performance.now() - startMs
  }
  await producer.close()
  return sent / (elapsedMs / 1000)
}
