import { expect, test, type Page } from '@playwright/test'
import { createClient } from '../../broker/client/client.ts'
import type { KafkaClient } from '../../broker/client/types.ts'
import { createRealEnv } from '../../broker/env/real.ts'
import { startWeir, type WeirProcess } from '../support/weir-process.ts'
import { command, goTo, openOverview } from './support/console.ts'

/** Leaders and replicas moved on a real cluster of three brokers, from the preview to the end. */
const value = 'x'.repeat(1_000)
let weir: WeirProcess
let kafka: KafkaClient

test.beforeAll(async () => {
  weir = await startWeir(['--ephemeral', '--brokers', '3'], { command: 'serve' })
  kafka = createClient(createRealEnv({ log: { write: () => undefined } }), { bootstrapServers: weir.bootstrapServers })
})
test.afterAll(async () => {
  await kafka?.close()
  await weir?.stop()
})

/** A topic of four partitions on brokers 1 and 2, with records in it, seen on its page. */
async function openTopic(page: Page, topic: string, recordCount: number): Promise<void> {
  const assignments = [
    [1, 2],
    [2, 1],
    [1, 2],
    [2, 1],
  ]
  await kafka.admin.createTopics([{ name: topic, assignments, configs: { 'min.insync.replicas': '1' } }])
  const producer = kafka.producer({ acks: 'all' })
  await producer.sendAll(Array.from({ length: recordCount }, (_, index) => ({ topic, partition: index % assignments.length, value })))
  await producer.close()
  await openOverview(page, weir)
  await goTo(page, `/c/embedded/topics/${topic}/partitions`)
  await expect(page.getByRole('img', { name: /^broker \d: in sync$/ })).toHaveCount(8)
}

async function replicasOf(topic: string): Promise<readonly string[]> {
  const [described] = await kafka.admin.describeTopics([topic])
  return (described?.partitions ?? []).map(({ replicas }) => [...replicas].sort().join())
}

/** Opens the dialog, takes broker 1 out, and starts what the preview shows. */
async function moveOffBrokerOne(page: Page, topic: string, limit: string): Promise<void> {
  await page.getByRole('button', { name: 'Reassign…' }).press('Enter')
  const dialog = page.getByRole('dialog', { name: 'Reassign partitions' })
  await dialog.getByRole('checkbox', { name: /^Broker 1/ }).press('Space')
  await expect(dialog.getByRole('img', { name: /^Replicas (1, 2|2, 1) become (2, 3|3, 2)$/ })).toHaveCount(4)
  await dialog.getByLabel('Limit per broker in MiB a second').fill(limit)
  await dialog.getByLabel(`Type ${topic} to confirm`).fill(topic)
  await dialog.getByRole('button', { name: 'Start moving' }).press('Enter')
  await expect(dialog).toBeHidden()
}

/** Leaves the limit alone once, then types another one; all of it with the keyboard. */
async function changeLimit(page: Page, limit: string): Promise<void> {
  const button = page.getByRole('button', { name: 'Change the limit' })
  const field = page.getByRole('textbox', { name: 'Limit per broker in MiB a second' })
  await button.press('Enter')
  await expect(field).toBeFocused()
  await field.press('Escape')
  await expect(field).toBeHidden()
  await expect(button).toBeFocused()
  await button.press('Enter')
  await field.fill('fast')
  await expect(page.getByText('A number of MiB a second, as 50 or 0.5; empty for no limit.')).toBeVisible()
  await field.fill(limit)
  await field.press('Enter')
  await expect(field).toBeHidden()
}

test('a topic moves to other brokers, from the preview to done, and Activity can take it back', async ({ page }) => {
  await openTopic(page, 'moved', 200)
  await moveOffBrokerOne(page, 'moved', '')
  await expect(page.locator('[data-reassignment="done"]')).toBeVisible()
  await expect(page.getByText('4 partitions moved.')).toBeVisible()
  await expect(page.getByRole('img', { name: 'broker 3: in sync' })).toHaveCount(4)
  expect(await replicasOf('moved')).toEqual(Array.from({ length: 4 }, () => '2,3'))
  await page.getByRole('button', { name: 'Dismiss' }).press('Enter')
  await expect(page.locator('[data-reassignment]')).toBeHidden()
  await goTo(page, '/activity')
  await expect(page.getByText('Move moved to brokers 2 and 3: 4 partitions.')).toBeVisible()
  await expect(page.getByRole('button', { name: 'Undo' }).first()).toBeVisible()
})

test('a limited move is followed over a reload and from Brokers, limited anew, and cancelled: its replicas are what they were', async ({
  page,
}) => {
  // Of each partition more than one fetch carries: the limit holds from the second one on.
  await openTopic(page, 'held', 8_000)
  await moveOffBrokerOne(page, 'held', '0.001')
  await expect(page.locator('[data-reassignment="running"]')).toBeVisible()
  await expect(page.getByRole('img', { name: 'broker 3: catching up, being added' })).toHaveCount(4)
  await page.reload()
  await expect(page.locator('[data-reassignment="running"]')).toBeVisible()
  await goTo(page, '/c/embedded/brokers')
  const moves = page.getByRole('region', { name: 'What moves' })
  await expect(moves.getByText('held to 1.0 KiB/s per broker')).toBeVisible()
  await expect(moves.getByRole('row', { name: /^held ?-\d/ })).toHaveCount(4)
  await changeLimit(page, '0.002')
  await expect(moves.getByText('held to 2.0 KiB/s per broker')).toBeVisible()
  await moves.getByRole('button', { name: 'Cancel the reassignment' }).press('Enter')
  await moves.getByRole('button', { name: 'Cancel the move' }).press('Enter')
  await expect(moves.locator('[data-reassignment="cancelled"]')).toBeVisible()
  await expect(moves.getByText('4 partitions went back to where they were.')).toBeVisible()
  expect(await replicasOf('held')).toEqual(Array.from({ length: 4 }, () => '1,2'))
})

test('after a kill and a restart, leaders are rebalanced from the palette', async ({ page }) => {
  await openTopic(page, 'led', 10)
  await goTo(page, '/c/embedded/overview')
  await command(page, 'kill broker 1', 'Kill broker 1')
  await expect(page.locator('[data-broker="1:Dead"]')).toBeVisible()
  await command(page, 'start broker 1', 'Start broker 1')
  await expect(page.locator('[data-broker="1:Alive"]')).toBeVisible()
  await expect
    .poll(async () => (await kafka.admin.describeTopics(['led']))[0]?.partitions.map(({ isr, leader }) => `${leader} of ${isr.length}`))
    .toEqual(Array.from({ length: 4 }, () => '2 of 2'))
  const dialog = page.getByRole('dialog', { name: 'Elect preferred leaders' })
  // The preview may have been made a moment before the host saw broker 1 in sync.
  await expect(async () => {
    await page.keyboard.press('Escape')
    await command(page, 'elect preferred leaders of led', 'led')
    await expect(dialog.getByText('2 partitions of 4 get another leader.')).toBeVisible({ timeout: 2_000 })
  }).toPass()
  await dialog.getByRole('button', { name: 'Elect' }).press('Enter')
  await expect(dialog.getByText('2 partitions have the preferred leader again.')).toBeVisible()
  const leaders = async () => (await kafka.admin.describeTopics(['led']))[0]?.partitions.map(({ leader }) => leader)
  await expect.poll(leaders).toEqual([1, 2, 1, 2])
})
