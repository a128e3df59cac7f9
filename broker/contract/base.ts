import { oc } from '@orpc/contract'
import { errorMap } from './errors.ts'

/** Every procedure starts from here, so that every one declares the same closed set of errors. */
export const procedure = oc.errors(errorMap)
