import { expect, test, type Page } from '@playwright/test'
import { longestName } from '../../renderer/gallery/fixtures/hostile.ts'
import { expectRules, serveGallery } from './support/gallery.ts'
import { settle } from './support/rules.ts'

/** Every state a move or an election can be in, with the worst data there is, dark and light; pictures in test-results/gallery. */
interface State {
  readonly scene: string
  readonly at: string
  /** What shows that the state is reached. */
  readonly shown: string
  readonly press?: readonly string[]
}

const partitionsOf = (topic: string): string => `/c/local/topics/${topic}/partitions`
const dialog = 'role=dialog'
const states: Readonly<Record<string, State>> = {
  running: { scene: 'populated', at: partitionsOf('orders'), shown: '[data-reassignment="running"]' },
  'asked to cancel': {
    scene: 'populated',
    at: partitionsOf('orders'),
    shown: '[data-reassignment="running"]',
    press: ['Cancel the reassignment'],
  },
  'another limit': { scene: 'populated', at: partitionsOf('orders'), shown: '[data-reassignment="running"]', press: ['Change the limit'] },
  'a limit that was refused': {
    scene: 'worst',
    at: '/c/local/brokers',
    shown: '[data-reassignment="running"]',
    press: ['Change the limit', 'Apply'],
  },
  'going back': { scene: 'populated', at: partitionsOf('fraud.scores'), shown: '[data-reassignment="cancelling"]' },
  done: { scene: 'populated', at: partitionsOf('payments.settled'), shown: '[data-reassignment="done"]' },
  'done in part': { scene: 'populated', at: partitionsOf('payments'), shown: 'text=Done in part' },
  cancelled: { scene: 'populated', at: partitionsOf('shipments'), shown: '[data-reassignment="cancelled"]' },
  failed: { scene: 'populated', at: partitionsOf('audit.log'), shown: '[data-reassignment="failed"]' },
  'by somebody else': { scene: 'populated', at: partitionsOf('sessions'), shown: 'text=/moved by somebody else/' },
  'the worst topic': { scene: 'worst', at: partitionsOf(longestName), shown: '[data-reassignment="running"]' },
  brokers: { scene: 'populated', at: '/c/local/brokers', shown: '[data-reassignment="running"]' },
  'the worst brokers': { scene: 'worst', at: '/c/local/brokers', shown: '[data-reassignment="running"]' },
  'the choice of brokers': { scene: 'populated', at: `${partitionsOf('trucks_gps')}?do=reassign`, shown: dialog },
  'the worst plan': { scene: 'worst', at: `${partitionsOf(longestName)}?do=reassign`, shown: dialog },
  'nothing to move': { scene: 'empty', at: `${partitionsOf('trucks_gps')}?do=reassign`, shown: 'text=/Nothing has to move/' },
  'no plan yet': { scene: 'loading', at: `${partitionsOf('trucks_gps')}?do=reassign`, shown: dialog },
  'no plan to be had': { scene: 'error', at: '/c/local/brokers?do=elect', shown: 'role=alert' },
  'emptying a broker': { scene: 'worst', at: '/c/local/brokers?do=empty&from=2', shown: dialog },
  'an election': { scene: 'populated', at: '/c/local/brokers?do=elect', shown: dialog },
  'the worst election': { scene: 'worst', at: '/c/local/brokers?do=elect', shown: dialog },
  'nothing to elect': { scene: 'empty', at: '/c/local/brokers?do=elect', shown: dialog },
  'an election that failed in part': { scene: 'populated', at: '/c/local/brokers?do=elect', shown: dialog, press: ['Elect'] },
}

const openGallery = serveGallery()

for (const theme of ['dark', 'light'] as const) {
  for (const [name, state] of Object.entries(states)) {
    test(`${name}, ${theme}`, async ({ page }) => {
      const { origin, problems } = await openGallery(page)
      await page.goto(`${origin}/?gallery=${state.scene}&theme=${theme}#${state.at}`)
      await open(page, state)
      await page.screenshot({ path: `test-results/gallery/moves-${name.replaceAll(' ', '-')}-${theme}.png` })
      await expectRules(page, `${name}, ${theme}`)
      expect(problems).toEqual([])
    })
  }
}

const cancels = {
  'a move of ours': { topic: 'orders', ask: 'Cancel the reassignment', leave: 'Go on' },
  'the moves of somebody else': { topic: 'sessions', ask: 'Cancel these', leave: 'Let them go on' },
} as const

for (const [what, { topic, ask, leave }] of Object.entries(cancels)) {
  test(`asked to cancel ${what}, the answer that changes nothing has the focus`, async ({ page }) => {
    const { origin } = await openGallery(page)
    await page.goto(`${origin}/?gallery=populated&theme=dark#${partitionsOf(topic)}`)
    await page.getByRole('button', { name: ask, exact: true }).press('Enter')
    await expect(page.getByRole('button', { name: leave, exact: true })).toBeFocused()
  })
}

async function open(page: Page, { shown, press = [] }: State): Promise<void> {
  await expect(page.locator(shown).first()).toBeVisible()
  await settle(page)
  for (const name of press) await page.getByRole('button', { name, exact: true }).press('Enter')
  if (press.length > 0) await settle(page)
}
