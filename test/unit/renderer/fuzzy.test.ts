import { describe, expect, it } from 'vitest'
import { fuzzyRank, fuzzyScore } from '../../../renderer/lib/fuzzy.ts'

describe('fuzzy ranking', () => {
  const topics = ['payments.settled', 'orders', 'reorders', 'orders.dlq', 'borders']

  it('an exact name comes first, then prefixes, then word starts, then anywhere', () => {
    expect(fuzzyRank('orders', topics, (name) => name, 9)).toEqual(['orders', 'orders.dlq', 'borders', 'reorders'])
  })

  it('letters in order find a name, letters out of order do not', () => {
    expect(fuzzyScore('pmst', 'payments.settled')).not.toBeNull()
    expect(fuzzyScore('tsmp', 'payments.settled')).toBeNull()
  })

  it('every word must occur', () => {
    expect(fuzzyScore('kill broker', 'Kill broker 2')).not.toBeNull()
    expect(fuzzyScore('kill broker 9', 'Kill broker 2')).toBeNull()
  })

  it('an empty query keeps the order', () => {
    expect(fuzzyRank(' ', topics, (name) => name, 2)).toEqual(topics.slice(0, 2))
  })
})
