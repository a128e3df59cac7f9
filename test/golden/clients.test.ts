import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { isFlexible, isValidVersion, schemas } from '../../broker/api/schemas.ts'
import { decodeMessage } from '../../broker/wire/codec.ts'
import { decodeRequestHeader, encodeRequestFrame } from '../../broker/wire/headers.ts'
import { batchCrcIsValid, readBatchHeader, recordsIn, validateRecords } from '../../broker/wire/record-batch.ts'

/** Requests as real clients sent them, recorded off the socket, with what they say. Buffers are `{ hex }`. */
interface Recording {
  readonly client: string
  readonly requests: readonly {
    readonly name: string
    readonly frame: string
    readonly correlationId: number
    readonly clientId: string
    readonly body: unknown
    readonly records?: readonly { readonly key: string | null; readonly value: string | null; readonly headers: [string, string][] }[]
  }[]
}

const recordings = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith('.json'))
  .map((file) => JSON.parse(readFileSync(join(import.meta.dirname, file), 'utf8')) as Recording)

describe.each(recordings)('$client', ({ requests }) => {
  it.each(requests)('$name reads as recorded and writes back to the same bytes', (request) => {
    const frame = Buffer.from(request.frame, 'hex')
    const header = decodeRequestHeader(frame, isFlexible)
    expect(header).toMatchObject({ correlationId: request.correlationId, clientId: request.clientId })
    expect(isValidVersion(header.apiKey, header.apiVersion)).toBe(true)
    const api = schemas.get(header.apiKey)!
    expect(request.name).toMatch(new RegExp(`^${api.name} v${header.apiVersion}\\b`))

    const body = decodeMessage(api.request, header.apiVersion, frame, header.bodyPosition)
    expect(withHex(body)).toEqual(request.body)
    expect(Buffer.concat(encodeRequestFrame(api, header, body)).subarray(4)).toEqual(frame)
  })

  it.each(requests.filter(({ records }) => records !== undefined))('$name carries records that pass every check', ({ frame, records }) => {
    const bytes = Buffer.from(frame, 'hex')
    const { apiVersion, bodyPosition } = decodeRequestHeader(bytes, isFlexible)
    const body = decodeMessage(schemas.get(0)!.request, apiVersion, bytes, bodyPosition) as unknown as ProduceBody
    const batch = body.topicData[0]!.partitionData[0]!.records
    const header = readBatchHeader(batch, 0)
    expect(header.batchBytes).toBe(batch.length)
    expect(batchCrcIsValid(batch, 0, header)).toBe(true)
    expect(validateRecords(batch, 0, header).problem).toBeNull()
    const views = [...recordsIn(batch, 0, header)].map(({ key, value, headers }) => ({
      key: key?.toString() ?? null,
      value: value?.toString() ?? null,
      headers: headers.map((entry) => [entry.key, entry.value?.toString()]),
    }))
    expect(views).toEqual(records)
  })
})

interface ProduceBody {
  readonly topicData: readonly { readonly partitionData: readonly { readonly records: Buffer }[] }[]
}

function withHex(value: unknown): unknown {
  if (Buffer.isBuffer(value)) return { hex: value.toString('hex') }
  if (Array.isArray(value)) return value.map(withHex)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, withHex(inner)]))
}
