import { implement } from '@orpc/server'
import { contract } from '../../contract/contract.ts'
import { toRpcError } from '../problem.ts'

/** What each domain implements its part of the contract with: whatever a handler throws leaves as a code of the contract. */
export const implementer = implement(contract).use(async ({ next }) => {
  try {
    return await next()
  } catch (error) {
    throw toRpcError(error)
  }
})
