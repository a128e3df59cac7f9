import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeElectionState, encodeElectionState } from '../../../broker/quorum/election-state.ts'

describe('the quorum-state file', () => {
  it('is one line of JSON in data version 1', () => {
    const content = encodeElectionState({ epoch: 2, leaderId: null, votedFor: { id: 1, directoryId: 'K9zq8zKfQKm1yVb3b5J1tw' } })
    expect(content.toString()).toBe(
      '{"leaderId":-1,"leaderEpoch":2,"votedId":1,"votedDirectoryId":"K9zq8zKfQKm1yVb3b5J1tw","data_version":1}',
    )
  })

  it('comes back as it was written', () => {
    const id = fc.integer({ min: 0, max: 2 ** 31 - 1 })
    const election = fc.record({
      epoch: id,
      leaderId: fc.option(id),
      votedFor: fc.option(fc.record({ id, directoryId: fc.constant('K9zq8zKfQKm1yVb3b5J1tw') })),
    })
    fc.assert(
      fc.property(election, (state) => {
        expect(decodeElectionState(encodeElectionState(state))).toEqual(state)
      }),
    )
  })

  it('is read in data version 0, which has no directory', () => {
    const old = '{"clusterId":"","leaderId":3,"leaderEpoch":7,"votedId":3,"appliedOffset":0,"currentVoters":[],"data_version":0}'
    expect(decodeElectionState(Buffer.from(old))).toMatchObject({ epoch: 7, leaderId: 3, votedFor: { id: 3 } })
  })

  it.each([
    '',
    '{}',
    '[]',
    '{"data_version":1,"leaderId":1,"leaderEpoch":-1,"votedId":1}',
    '{"data_version":9,"leaderId":1,"leaderEpoch":1,"votedId":1}',
  ])('refuses %j rather than guess a vote', (content) => {
    expect(() => decodeElectionState(Buffer.from(content))).toThrow()
  })
})
