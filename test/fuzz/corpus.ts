/** Valid inputs of every kind, the ground that mutations start from. */
import fc from 'fast-check'
import { allApis } from '../../broker/api/schemas.ts'
import { encodeToBuffer } from '../../broker/wire/codec.ts'
import { compressionNames, isCompression } from '../../broker/wire/compression.ts'
import { encodeRequestFrame, encodeResponseFrame } from '../../broker/wire/headers.ts'
import { encodeBatch } from '../../broker/wire/record-batch.ts'
import type { Api, Message } from '../../broker/wire/schema.ts'
import { messageArbitrary } from '../support/wire/arbitraries.ts'
import { payloadMessages, versionsOf } from '../support/wire/messages.ts'

export type Input =
  | { readonly kind: 'request'; readonly bytes: Buffer }
  | { readonly kind: 'response'; readonly bytes: Buffer; readonly api: Api; readonly version: number }
  | { readonly kind: 'payload'; readonly bytes: Buffer; readonly message: Message; readonly version: number }
  | { readonly kind: 'batch'; readonly bytes: Buffer }

/** Values of each message and version. */
const SAMPLES = 3

export interface Corpus {
  readonly requests: readonly Input[]
  readonly responses: readonly Input[]
  readonly payloads: readonly Input[]
  readonly batches: readonly Input[]
}

export function buildCorpus(seed: number): Corpus {
  const requests: Input[] = []
  const responses: Input[] = []
  for (const api of allApis as readonly Api[]) {
    for (const version of versionsOf(api.request)) {
      const header = { apiVersion: version, correlationId: 7, clientId: 'fuzz' }
      for (const value of samples(api.request, version, seed)) {
        requests.push({ kind: 'request', bytes: unsized(encodeRequestFrame(api, header, value)) })
      }
      for (const value of samples(api.response, version, seed)) {
        responses.push({ kind: 'response', bytes: unsized(encodeResponseFrame(api, header, value)), api, version })
      }
    }
  }
  const payloads = payloadMessages.flatMap((message) =>
    versionsOf(message).flatMap((version) =>
      samples(message, version, seed).map((value): Input => ({
        kind: 'payload',
        bytes: encodeToBuffer(message, version, value),
        message,
        version,
      })),
    ),
  )
  return { requests, responses, payloads, batches: batches() }
}

function samples(message: Message, version: number, seed: number): never[] {
  return fc.sample(messageArbitrary(message, version), { numRuns: SAMPLES, seed: seed + version }) as never[]
}

function batches(): Input[] {
  const all: Input[] = []
  for (let id = 0; id < compressionNames.length; id++) {
    if (!isCompression(id)) continue
    for (const recordCount of [1, 3, 40]) {
      const records = Array.from({ length: recordCount }, (_, index) => ({
        timestampMs: 1_790_000_000_000 + index,
        key: index % 3 === 0 ? null : Buffer.from(`key-${index}`),
        value: Buffer.from('some value, some value, some value '.repeat(1 + (index % 4))),
        headers: index % 5 === 0 ? [{ key: 'origin', value: Buffer.from('here') }] : [],
      }))
      const batch = encodeBatch({ records, compression: id })
      all.push({ kind: 'batch', bytes: batch })
      all.push({ kind: 'batch', bytes: Buffer.concat([batch, encodeBatch({ records, compression: id, baseOffset: recordCount })]) })
    }
  }
  return all
}

function unsized(chunks: Buffer[]): Buffer {
  return Buffer.concat(chunks).subarray(4)
}
