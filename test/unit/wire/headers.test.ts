import { describe, expect, it } from 'vitest'
import { apiVersions } from '../../../broker/api/18-api-versions.schema.ts'
import { heartbeat } from '../../../broker/api/12-heartbeat.schema.ts'
import { isFlexible } from '../../../broker/api/schemas.ts'
import { decodeMessage } from '../../../broker/wire/codec.ts'
import { decodeRequestHeader, decodeResponseHeader, encodeRequestFrame, encodeResponseFrame } from '../../../broker/wire/headers.ts'
import { wireErrorOf } from '../../support/wire/wire-error.ts'

const body = { groupId: 'g', generationId: 3, memberId: 'm' }

function unframed(chunks: Buffer[]): Buffer {
  const frame = Buffer.concat(chunks)
  expect(frame.readInt32BE(0)).toBe(frame.length - 4)
  return frame.subarray(4)
}

describe('request headers', () => {
  it('are v1 before the first flexible version and v2 from it on, the client id with an int16 length in both', () => {
    const plain = unframed(encodeRequestFrame(heartbeat, { apiVersion: 3, correlationId: 258, clientId: 'me' }, body))
    expect(plain.subarray(0, 12).toString('hex')).toBe('000c 0003 00000102 0002 6d65'.replaceAll(' ', ''))
    const flexible = unframed(encodeRequestFrame(heartbeat, { apiVersion: 4, correlationId: 258, clientId: 'me' }, body))
    expect(flexible.subarray(0, 13).toString('hex')).toBe('000c 0004 00000102 0002 6d65 00'.replaceAll(' ', ''))
    for (const frame of [plain, flexible]) {
      const header = decodeRequestHeader(frame, isFlexible)
      expect(header).toMatchObject({ apiKey: 12, correlationId: 258, clientId: 'me' })
      expect(decodeMessage(heartbeat.request, header.apiVersion, frame, header.bodyPosition)).toMatchObject(body)
    }
  })

  it('take a null client id as empty, and skip tags', () => {
    const frame = Buffer.from('000c 0004 00000102 ffff 01 05 02 aabb'.replaceAll(' ', ''), 'hex')
    expect(decodeRequestHeader(frame, isFlexible)).toMatchObject({ clientId: '', bodyPosition: frame.length })
  })

  it('of an ApiVersions request from the future can be read, so that it can be answered', () => {
    const frame = Buffer.from('0012 0063 00000001 0001 61 00 ffffff'.replaceAll(' ', ''), 'hex')
    expect(decodeRequestHeader(frame, isFlexible)).toEqual({
      apiKey: 18,
      apiVersion: 99,
      correlationId: 1,
      clientId: 'a',
      bodyPosition: 12,
    })
  })

  it('cut short are refused', () => {
    const frame = Buffer.from('000c 0004 00000102 0002 6d65 00'.replaceAll(' ', ''), 'hex')
    for (let length = 0; length < frame.length; length++) {
      expect(wireErrorOf(() => decodeRequestHeader(frame.subarray(0, length), isFlexible))).toBe('TRUNCATED')
    }
  })
})

describe('response headers', () => {
  it('have a tag section in flexible versions only', () => {
    for (const [apiVersion, bodyPosition] of [
      [3, 4],
      [4, 5],
    ] as const) {
      const frame = unframed(encodeResponseFrame(heartbeat, { apiVersion, correlationId: 9 }, { errorCode: 27 }))
      expect(decodeResponseHeader(frame, heartbeat, apiVersion)).toEqual({ correlationId: 9, bodyPosition })
      expect(decodeMessage(heartbeat.response, apiVersion, frame, bodyPosition)).toEqual({ throttleTimeMs: 0, errorCode: 27 })
    }
  })

  it('of ApiVersions never do', () => {
    const frame = unframed(encodeResponseFrame(apiVersions, { apiVersion: 4, correlationId: 9 }, { errorCode: 0, apiKeys: [] }))
    expect(decodeResponseHeader(frame, apiVersions, 4)).toEqual({ correlationId: 9, bodyPosition: 4 })
    expect(frame.toString('hex')).toBe('00000009 0000 01 00000000 00'.replaceAll(' ', ''))
  })
})
