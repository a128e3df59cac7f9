import { describe, expect, it } from 'vitest'
import { ErrorCode, errorName, isRetriable } from '../../../broker/wire/errors.ts'

describe('error codes', () => {
  it('run from -1 to 133 without a gap, each under one name', () => {
    const codes = Object.values(ErrorCode).sort((left, right) => left - right)
    expect(codes).toEqual(Array.from({ length: 135 }, (_, index) => index - 1))
    for (const [name, code] of Object.entries(ErrorCode)) expect(errorName(code)).toBe(name)
  })

  it('that no release defines are named by their number and not retried', () => {
    expect(errorName(999)).toBe('UNKNOWN_ERROR_CODE_999')
    expect(isRetriable(999)).toBe(false)
  })

  it('tell what a client may try again', () => {
    expect([ErrorCode.NOT_LEADER_OR_FOLLOWER, ErrorCode.COORDINATOR_LOAD_IN_PROGRESS, ErrorCode.UNKNOWN_TOPIC_ID].every(isRetriable)).toBe(
      true,
    )
    expect([ErrorCode.NONE, ErrorCode.MESSAGE_TOO_LARGE, ErrorCode.INVALID_REQUEST, ErrorCode.PRODUCER_FENCED].some(isRetriable)).toBe(
      false,
    )
  })
})
