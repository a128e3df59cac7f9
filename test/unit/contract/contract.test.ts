import { getContractRouter, isContractProcedure, ORPCError } from '@orpc/contract'
import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import { contract } from '../../../broker/contract/contract.ts'
import { isProblemCode, problemCodes, problemOf } from '../../../broker/contract/errors.ts'
import { messageQuery } from '../../../broker/contract/messages.ts'
import { reassignmentsContract } from '../../../broker/contract/reassignments.ts'
import { follow } from '../../../broker/contract/stream.ts'
import { recordInput } from '../../../broker/contract/produce.ts'

describe('the contract', () => {
  test('declares the same closed errors on every procedure', () => {
    for (const [domain, procedures] of Object.entries(contract)) {
      for (const name of Object.keys(procedures)) {
        const procedure = getContractRouter(contract, [domain, name])
        if (!isContractProcedure(procedure)) throw new Error(`${domain}.${name} is no procedure`)
        expect(Object.keys(procedure['~orpc'].errorMap), `${domain}.${name}`).toEqual([...problemCodes])
      }
    }
  })

  test('a query needs nothing but its topic, and takes no limit as no limit', () => {
    const query = v.parse(messageQuery, { clusterId: 'c', topic: 't' })
    expect(query).toMatchObject({
      start: { at: 'everything' },
      order: 'newest-first',
      rowsMax: 1_000,
      text: null,
      isolation: 'read-uncommitted',
    })
    expect(v.parse(messageQuery, { clusterId: 'c', topic: 't', rowsMax: null }).rowsMax).toBeNull()
  })

  test.each(['', 'a b', 'a/b', 'x'.repeat(250)])('the topic name %j is refused', (topic) => {
    expect(v.safeParse(messageQuery, { clusterId: 'c', topic }).success).toBe(false)
  })

  test('a record goes by its key unless a partition is named', () => {
    expect(v.parse(recordInput, { clusterId: 'c', topic: 't', value: null })).toMatchObject({
      partition: null,
      key: null,
      acks: 'all',
      headers: [],
    })
  })
})

describe('the limit of a move under way', () => {
  const input = reassignmentsContract.setLimit['~orpc'].inputSchema
  const isTaken = (throttleBytesPerSecond: unknown, runId: unknown = 'r'): boolean =>
    input !== undefined && v.safeParse(input as v.GenericSchema, { clusterId: 'c', runId, throttleBytesPerSecond }).success

  test('is a whole number of bytes a second, or none at all', () => {
    expect([1, 52_428_800, Number.MAX_SAFE_INTEGER, null].map((limit) => isTaken(limit))).toEqual([true, true, true, true])
  })

  test.each([0, -1, 1.5, NaN, Infinity, 2 ** 53, '5', undefined])('is refused as %j', (limit) => {
    expect(isTaken(limit)).toBe(false)
  })

  test.each([null, 7, 'x'.repeat(101)])('is refused for the run %j', (runId) => {
    expect(isTaken(1, runId)).toBe(false)
  })
})

describe('problems', () => {
  test('anything thrown becomes one with a code of the union', () => {
    const data = { subject: 's', advice: 'a', cause: 'c' }
    expect(problemOf(new ORPCError('TOPIC_NOT_FOUND', { message: 'm', data }))).toEqual({ code: 'TOPIC_NOT_FOUND', message: 'm', ...data })
    expect(problemOf(new ORPCError('SOMETHING_NEW', { message: 'm' })).code).toBe('INTERNAL')
    expect(problemOf(new DOMException('stop', 'AbortError')).code).toBe('CANCELLED')
    for (const thrown of [new Error('socket closed'), 'text', undefined]) expect(problemOf(thrown).code).toBe('HOST_LOST')
    expect(isProblemCode('TOPIC_NOT_FOUND') && !isProblemCode('toString')).toBe(true)
  })
})

test('following acknowledges each value after it was dealt with', async () => {
  const log: string[] = []
  const client = { app: { acknowledge: async ({ cursor }: { cursor: number }) => void log.push(`ack ${cursor}`) } }
  async function* stream() {
    yield { streamId: 's', cursor: 1, value: 'a' }
    yield { streamId: 's', cursor: 2, value: 'b' }
  }
  await follow(client, Promise.resolve(stream()), async (value) => {
    await Promise.resolve()
    log.push(value)
  })
  expect(log).toEqual(['a', 'ack 1', 'b', 'ack 2'])
})
