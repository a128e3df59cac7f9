import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { defaultMessageView, fromAddress, toAddress, toMessageQuery, type MessageView } from '../../../renderer/lib/message-address.ts'

const offset = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER })
const view: fc.Arbitrary<MessageView> = fc.record({
  partitions: fc.option(fc.array(fc.nat(999), { minLength: 1, maxLength: 5 })),
  start: fc.oneof(
    fc.constant({ at: 'everything' as const }),
    offset.map((value) => ({ at: 'offset' as const, offset: value })),
    offset.map((timestampMs) => ({ at: 'time' as const, timestampMs })),
    fc.tuple(offset, offset).map(([fromMs, toMs]) => ({ at: 'range' as const, fromMs, toMs })),
  ),
  order: fc.constantFrom('newest-first' as const, 'oldest-first' as const),
  text: fc.string({ maxLength: 40 }),
  textIn: fc.constantFrom(undefined, ['key' as const], ['key' as const, 'value' as const]),
  caseSensitive: fc.boolean(),
  live: fc.boolean(),
  record: fc.oneof(fc.constant(null), fc.constant('first' as const), fc.record({ partition: fc.nat(999), offset })),
})

describe('the address of a message query', () => {
  it('says everything, so that it can be read back', () => {
    fc.assert(
      fc.property(view, (original) => {
        expect(fromAddress(toAddress(original))).toEqual(original)
      }),
    )
  })

  it('is empty for the default', () => {
    expect(Object.values(toAddress(defaultMessageView)).filter((value) => value !== undefined)).toEqual([])
  })

  it('written by hand and wrong, falls back to the default', () => {
    expect(fromAddress({ from: 'offset:-1', partitions: 'x,,', order: 'sideways', record: '1', in: 'soul', text: ['a', 'b'] })).toEqual(
      defaultMessageView,
    )
  })

  it('becomes a query without a filter when no text is asked for', () => {
    expect(toMessageQuery(defaultMessageView, { clusterId: 'local', topic: 'orders' }, 1000)).toMatchObject({
      topic: 'orders',
      text: null,
      order: 'newest-first',
      rowsMax: 1000,
    })
  })
})
