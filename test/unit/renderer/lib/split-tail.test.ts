import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { splitTail } from '../../../../renderer/lib/split-tail.ts'

describe('a name that may be cut in the middle', () => {
  it('keeps the end, in which clients of one service differ', () => {
    expect(splitTail('location-dashboard-3')).toEqual({ head: 'location-dashb', tail: 'oard-3' })
    expect(splitTail('app-1')).toEqual({ head: '', tail: 'app-1' })
  })

  it('does not split what a person sees as one character', () => {
    expect(splitTail('truck 👩‍🔧12345')).toEqual({ head: 'truck ', tail: '👩‍🔧12345' })
  })

  it('loses nothing of any name', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (name) => {
        const { head, tail } = splitTail(name)
        expect(head + tail).toBe(name)
      }),
    )
  })
})
