import { describe, expect, it } from 'vitest'
import { metadataRecords } from '../../../broker/api/metadata-records.schema.ts'
import { decodeFramedRecord, encodeFramedRecord } from '../../../broker/wire/framed-record.ts'
import { wireErrorOf } from '../../support/wire/wire-error.ts'

const topicId = 'abcdefghijklmnopqrstuw'

describe('framed metadata records', () => {
  it('carry frame version 1, type and version before the fields', () => {
    const record = encodeFramedRecord(metadataRecords, 2, 0, { name: 't', topicId })
    expect(record.subarray(0, 5).toString('hex')).toBe('0102000274')
    expect(decodeFramedRecord(metadataRecords, record)).toEqual({ type: 2, version: 0, value: { name: 't', topicId } })
  })

  it('leave out what a change does not change', () => {
    const record = encodeFramedRecord(metadataRecords, 5, 2, { partitionId: 1, topicId, isr: [4], leader: 4 })
    const decoded = decodeFramedRecord(metadataRecords, record)
    expect(decoded).toMatchObject({ type: 5, value: { isr: [4], leader: 4, replicas: null, leaderRecoveryState: -1 } })
  })

  it.each([
    ['an unknown frame version', '02020000'],
    ['an unknown type', '01630000'],
    ['a version the type lacks', '01020900'],
    ['a name from the prototype for a type', '01ffffffff0f00'],
  ])('with %s are refused', (_, hex) => {
    expect(wireErrorOf(() => decodeFramedRecord(metadataRecords, Buffer.from(hex, 'hex')))).toBe('UNSUPPORTED_VERSION')
  })
})
