import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { detailBytesMax, previewCharactersMax } from '../../../../broker/contract/messages.ts'
import { payloadOf, previewOf, sliceOf } from '../../../../broker/host/messages/payload-text.ts'

describe('payloads as text', () => {
  test('JSON passes through as it is stored, numbers with every digit', () => {
    const text = '{"id":9007199254740993,"price":0.10,"big":1e400}'
    expect(payloadOf(Buffer.from(text))).toMatchObject({ encoding: 'json', text, isComplete: true, reason: null })
  })

  test('bytes that are no UTF-8 are shown as hex, with the byte that is the reason', () => {
    const payload = payloadOf(Buffer.from([0x61, 0x62, 0xff, 0x63]))
    expect(payload).toMatchObject({ encoding: 'hex', text: '6162ff63', reason: 'Not UTF-8 text: byte 2 is 0xff.' })
  })

  test('control and direction-changing characters do not reach a row', () => {
    expect(previewOf(Buffer.from('a\u0000b\u202ec')).text).toBe('a\ufffdb\ufffdc')
  })

  test('a preview is short, and never ends within a character', () => {
    const preview = previewOf(Buffer.from('😀'.repeat(500)))
    expect(preview.isTruncated).toBe(true)
    expect(preview.text.length).toBeLessThanOrEqual(previewCharactersMax)
    expect(preview.text.endsWith('😀')).toBe(true)
  })

  test('text larger than a detail holds is said to go on, and slices complete it', () => {
    const whole = Buffer.from('é'.repeat(detailBytesMax))
    const payload = payloadOf(whole)
    expect(payload.isComplete).toBe(false)
    const rest = sliceOf(whole, { as: 'text', position: payload.nextPosition ?? 0, count: whole.length })
    expect(payload.text + rest.text).toBe(whole.toString('utf8'))
  })

  test('slices of any size, joined, are the whole text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), fc.integer({ min: 16, max: 40 }), (text, count) => {
        const bytes = Buffer.from(text)
        let joined = ''
        for (let position: number | null = 0; position !== null;) {
          const slice = sliceOf(bytes, { as: 'text', position, count })
          joined += slice.text
          position = slice.nextPosition
        }
        expect(joined).toBe(bytes.toString('utf8'))
      }),
    )
  })
})
