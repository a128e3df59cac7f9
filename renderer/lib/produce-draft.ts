import type { PayloadInput, RecordInput } from '../../broker/contract/produce.ts'
import { bytesFromHex } from './hex.ts'
import { jsonProblem } from './json-text.ts'

/** A record as it is being typed. Null and empty are different: a key of kind `none` and a tombstone are null, an empty text is zero bytes. */
export type PayloadKind = 'text' | 'json' | 'hex'

export interface DraftHeader {
  key: string
  value: string
  kind: 'text' | 'hex' | 'null'
}

export interface ProduceDraft {
  keyKind: PayloadKind | 'none'
  key: string
  isTombstone: boolean
  valueKind: PayloadKind
  value: string
  headers: DraftHeader[]
  /** Null: chosen by the key. */
  partition: number | null
  compression: NonNullable<RecordInput['compression']>
  acks: NonNullable<RecordInput['acks']>
  useTemplates: boolean
  count: number
  intervalMs: number
}

export function emptyDraft(): ProduceDraft {
  return {
    keyKind: 'text',
    key: '',
    isTombstone: false,
    valueKind: 'json',
    value: '',
    headers: [],
    partition: null,
    compression: 'none',
    acks: 'all',
    useTemplates: false,
    count: 1,
    intervalMs: 0,
  }
}

export interface DraftProblem {
  field: 'key' | 'value' | 'headers'
  message: string
}

/** What keeps a draft from being sent. JSON that is not JSON is only warned about: a test may want to send just that. */
export function draftProblems(draft: ProduceDraft): DraftProblem[] {
  const problems: DraftProblem[] = []
  const hexHint = 'Hex is pairs of 0-9 and a-f; blanks are allowed.'
  if (draft.keyKind === 'hex' && bytesFromHex(draft.key) === null) problems.push({ field: 'key', message: hexHint })
  if (!draft.isTombstone && draft.valueKind === 'hex' && bytesFromHex(draft.value) === null)
    problems.push({ field: 'value', message: hexHint })
  if (draft.isTombstone && draft.keyKind === 'none')
    problems.push({ field: 'key', message: 'A tombstone needs a key: it deletes what has that key.' })
  for (const header of draft.headers) {
    if (header.kind === 'hex' && bytesFromHex(header.value) === null)
      problems.push({ field: 'headers', message: `Header ${header.key}: ${hexHint}` })
  }
  return problems
}

/** A hint about a text that is meant to be JSON, or null. */
export function jsonHint(kind: PayloadKind | 'none', text: string): string | null {
  if (kind !== 'json' || text === '') return null
  const problem = jsonProblem(text)
  return problem === null ? null : `Not JSON. ${problem.message} Line ${problem.line}, column ${problem.column}. It can be sent as it is.`
}

export function toRecordInput(draft: ProduceDraft, place: { clusterId: string; topic: string }): RecordInput {
  return {
    ...place,
    partition: draft.partition,
    key: draft.keyKind === 'none' ? null : payloadInput(draft.keyKind, draft.key),
    value: draft.isTombstone ? null : payloadInput(draft.valueKind, draft.value),
    headers: draft.headers
      .filter(({ key, value }) => key !== '' || value !== '')
      .map(({ key, value, kind }) => ({ key, value: kind === 'null' ? null : payloadInput(kind, value) })),
    compression: draft.compression,
    acks: draft.acks,
    useTemplates: draft.useTemplates,
  }
}

function payloadInput(kind: PayloadKind, text: string): PayloadInput {
  return { encoding: kind === 'hex' ? 'hex' : 'text', text }
}
