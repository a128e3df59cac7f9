import { WireError, type WireErrorCode } from '../../../broker/wire/errors.ts'

/** The code of the WireError thrown, 'nothing' if none was; any other error is rethrown, for it is a defect. */
export function wireErrorOf(call: () => unknown): WireErrorCode | 'nothing' {
  try {
    call()
    return 'nothing'
  } catch (error) {
    if (error instanceof WireError) return error.code
    throw error
  }
}
