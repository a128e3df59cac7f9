import * as v from 'valibot'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { HostClient } from '../../../broker/contract/contract.ts'
import { inputSentence } from '../../../broker/host/input-problem.ts'
import { failure, startHarness, type HostHarness } from './harness.ts'

const sentence = (schema: v.GenericSchema, input: unknown): string => inputSentence(v.safeParse(schema, input).issues)

describe('an input that a schema refuses', () => {
  const schema = v.object({
    count: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(500)),
    name: v.optional(v.pipe(v.string(), v.minLength(2), v.maxLength(3)), 'ab'),
    order: v.optional(v.picklist(['newest-first', 'oldest-first']), 'newest-first'),
    places: v.optional(v.pipe(v.array(v.object({ offset: v.pipe(v.number(), v.minValue(0)) })), v.maxLength(2)), []),
    target: v.optional(v.variant('to', [v.object({ to: v.literal('end') }), v.object({ to: v.literal('start') })]), { to: 'end' }),
    topic: v.optional(v.pipe(v.string(), v.regex(/^\w+$/, 'may hold only letters')), 'a'),
  })

  test.each([
    [{}, '"count" is missing.'],
    [{ count: 'x' }, '"count" must be a number; "x" was given.'],
    [{ count: 0 }, '"count" must be at least 1; 0 was given.'],
    [{ count: 501 }, '"count" must be at most 500; 501 was given.'],
    [{ count: 1.5 }, '"count" must be a whole number; 1.5 was given.'],
    [{ count: 1, name: 'a' }, '"name" must have at least 2 characters; 1 was given.'],
    [{ count: 1, order: 'random' }, '"order" must be one of: "newest-first", "oldest-first"; "random" was given.'],
    [{ count: 1, target: { to: 'middle' } }, '"target.to" must be one of: "end", "start"; "middle" was given.'],
    [{ count: 1, places: [{ offset: 1 }, { offset: -1 }] }, '"places[1].offset" must be at least 0; -1 was given.'],
    [{ count: 1, places: [1, 2, 3] }, '"places[0]" must be an object; 1 was given.'],
    [{ count: 1, places: 7 }, '"places" must be a list; 7 was given.'],
    [{ count: 1, topic: 'a b' }, '"topic" may hold only letters.'],
    [null, 'The input must be an object; null was given.'],
  ])('%j is told with its field and what is allowed', (input, expected) => {
    expect(sentence(schema, input)).toBe(expected)
  })

  test('never fills the screen with what was given', () => {
    expect(sentence(schema, { count: 'x'.repeat(10_000) }).length).toBeLessThan(130)
  })
})

describe('a call with such an input', () => {
  let harness: HostHarness
  beforeAll(async () => void (harness = await startHarness()))
  afterAll(() => harness.close())

  test.each<[(client: HostClient, clusterId: string) => Promise<unknown>, string]>([
    [(client, clusterId) => client.topics.list({ clusterId, count: 9_999 }), '"count" must be at most 500; 9999 was given.'],
    [
      (client, clusterId) => client.topics.describe({ clusterId, topic: 'a b' }),
      '"topic" may hold only letters, digits, ".", "_" and "-".',
    ],
  ])('is answered with the sentence, and what to do', async (call, message) => {
    expect(await failure(call(harness.client, harness.clusterId))).toMatchObject({ code: 'INVALID_INPUT', message })
  })
})
