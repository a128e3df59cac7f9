import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  canvasHeight,
  canvasHeightMax,
  offsetMax,
  offsetShowing,
  rowsInSight,
  toOffset,
  toScrollTop,
} from '../../../renderer/components/grid/tall-scroll.ts'

const ROW = 28
const extentOf = (count: number, viewHeight = 532) => ({ rowsHeight: count * ROW, viewHeight })

describe('a page of rows', () => {
  it('is as tall as its rows while they fit, and never taller than can be drawn', () => {
    expect(canvasHeight(extentOf(1_000))).toBe(28_000)
    expect(canvasHeight(extentOf(10_000_000))).toBe(canvasHeightMax)
  })
  it('scrolls pixel by pixel while they fit', () => {
    fc.assert(fc.property(fc.nat(200_000), (scrollTop) => toOffset(scrollTop, extentOf(10_000)) === scrollTop))
  })
  it('reaches the first and the last of any number of rows', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100_000_000 }), (count) => {
        const extent = extentOf(count)
        expect(toOffset(0, extent)).toBe(0)
        expect(toOffset(Math.max(0, canvasHeight(extent) - extent.viewHeight), extent)).toBeCloseTo(offsetMax(extent), 3)
        const { last } = rowsInSight(offsetMax(extent), extent.viewHeight, ROW, { count, overscan: 0 })
        expect(last).toBe(count - 1)
      }),
    )
  })
  it('a place and its stand-in name each other', () => {
    fc.assert(
      fc.property(fc.nat(27_000_000), (offset) => {
        const extent = extentOf(1_000_000)
        expect(toOffset(toScrollTop(offset, extent), extent)).toBeCloseTo(offset, 3)
      }),
    )
  })
})

describe('showing a row', () => {
  it('moves no further than needed, and not at all when it is in sight', () => {
    const extent = extentOf(1_000)
    expect(offsetShowing(5, 'nearest', 0, ROW, extent)).toBe(0)
    expect(offsetShowing(19, 'nearest', 0, ROW, extent)).toBe(28)
    expect(offsetShowing(3, 'nearest', 280, ROW, extent)).toBe(84)
    expect(offsetShowing(999, 'nearest', 0, ROW, extent)).toBe(offsetMax(extent))
  })
  it('in the middle, stays within the page', () => {
    const extent = extentOf(1_000)
    expect(offsetShowing(0, 'center', 900, ROW, extent)).toBe(0)
    expect(offsetShowing(999, 'center', 0, ROW, extent)).toBe(offsetMax(extent))
    expect(offsetShowing(100, 'center', 0, ROW, extent)).toBe(100 * ROW - (532 - ROW) / 2)
  })
  it('keeps the whole row in sight wherever it is among ten million', () => {
    fc.assert(
      fc.property(fc.nat(9_999_999), fc.nat(279_000_000), (index, present) => {
        const extent = extentOf(10_000_000)
        const offset = offsetShowing(index, 'nearest', present, ROW, extent)
        expect(index * ROW).toBeGreaterThanOrEqual(offset)
        expect((index + 1) * ROW).toBeLessThanOrEqual(offset + extent.viewHeight)
      }),
    )
  })
})

describe('the rows in sight', () => {
  it('are few, whatever there are, and none of none', () => {
    expect(rowsInSight(0, 532, ROW, { count: 0, overscan: 8 })).toEqual({ first: 0, last: -1 })
    expect(rowsInSight(280, 532, ROW, { count: 10_000_000, overscan: 2 })).toEqual({ first: 8, last: 30 })
  })
})
