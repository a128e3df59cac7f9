/**
 * How the controller decides: a function from the image (and the request) to records to append and the answer to give once
 * they are committed. Decisions have no effect of their own; a dry run is a decision whose records are dropped.
 */
import type { ErrorCode } from '../wire/errors.ts'
import type { MetadataImage } from './image.ts'
import type { MetadataRecord } from './metadata-records.ts'

export interface DecisionInput {
  /** Everything decided so far, committed or about to be. */
  readonly image: MetadataImage
  /** The offset the first record of this decision gets. */
  readonly nextOffset: number
}

export interface Decision<Answer> {
  /** Appended as one batch: all of them take effect, or none. */
  readonly records: readonly MetadataRecord[]
  readonly answer: Answer
}

export interface Refusal {
  readonly errorCode: ErrorCode
  readonly errorMessage: string
}

export function refusal(errorCode: ErrorCode, errorMessage: string): Refusal {
  return { errorCode, errorMessage }
}
