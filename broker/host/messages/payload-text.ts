/** Bytes as people read them: what they look like, a short preview, a whole payload, and slices of a large one. */
import { isUtf8 } from 'node:buffer'
import { detailBytesMax, previewCharactersMax, type Payload, type PayloadSlice, type Preview } from '../../contract/messages.ts'

/** A UTF-8 character takes at most four bytes. */
const previewBytesMax = previewCharactersMax * 4
// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const controlCharacters = /[\u0000-\u0008\u000b-\u001f\u007f\u0080-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g

export function previewOf(bytes: Buffer): Preview {
  const { head, isWhole } = headOf(bytes, previewBytesMax)
  if (!isUtf8(head)) {
    const shown = bytes.subarray(0, previewCharactersMax / 2)
    return { text: shown.toString('hex'), encoding: 'hex', isTruncated: shown.length < bytes.length }
  }
  const text = head.toString('utf8')
  const shown = text.length > previewCharactersMax ? cutAtCharacter(text, previewCharactersMax) : text
  return {
    text: shown.replaceAll(controlCharacters, '\ufffd').replaceAll(/[\t\n]/g, ' '),
    encoding: looksLikeJson(text) ? 'json' : 'text',
    isTruncated: !isWhole || shown.length < text.length,
  }
}

/** The first `detailBytesMax` bytes as they are stored: JSON passes through as text, so that numbers keep every digit. */
export function payloadOf(bytes: Buffer): Payload {
  const invalidAt = invalidUtf8At(bytes)
  if (invalidAt !== null) {
    const shown = bytes.subarray(0, detailBytesMax)
    return {
      bytes: bytes.length,
      encoding: 'hex',
      text: shown.toString('hex'),
      ...continuation(shown.length, bytes.length),
      reason: `Not UTF-8 text: byte ${invalidAt} is 0x${(bytes[invalidAt] ?? 0).toString(16).padStart(2, '0')}.`,
    }
  }
  const { head } = headOf(bytes, detailBytesMax)
  const text = head.toString('utf8')
  return {
    bytes: bytes.length,
    encoding: looksLikeJson(text) ? 'json' : 'text',
    text,
    ...continuation(head.length, bytes.length),
    reason: null,
  }
}

/** Bytes from `position`: as text cut between characters, bad bytes shown as U+FFFD. */
export function sliceOf(bytes: Buffer, request: { as: 'text' | 'hex'; position: number; count: number }): PayloadSlice {
  const position = Math.min(request.position, bytes.length)
  if (request.as === 'hex') {
    const shown = bytes.subarray(position, position + request.count)
    return {
      text: shown.toString('hex'),
      position,
      nextPosition: continuation(position + shown.length, bytes.length).nextPosition,
      bytes: bytes.length,
    }
  }
  const { head } = headOf(bytes.subarray(position), request.count)
  return {
    text: head.toString('utf8'),
    position,
    nextPosition: continuation(position + head.length, bytes.length).nextPosition,
    bytes: bytes.length,
  }
}

function continuation(shownTo: number, total: number): { isComplete: boolean; nextPosition: number | null } {
  return shownTo >= total ? { isComplete: true, nextPosition: null } : { isComplete: false, nextPosition: shownTo }
}

/** At most `bytesMax` bytes, not ending within a character. */
function headOf(bytes: Buffer, bytesMax: number): { head: Buffer; isWhole: boolean } {
  if (bytes.length <= bytesMax) return { head: bytes, isWhole: true }
  let end = bytesMax
  while (end > bytesMax - 3 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1
  return { head: bytes.subarray(0, end), isWhole: false }
}

function cutAtCharacter(text: string, length: number): string {
  const isSplit = (text.charCodeAt(length - 1) & 0xfc00) === 0xd800
  return text.slice(0, isSplit ? length - 1 : length)
}

function looksLikeJson(text: string): boolean {
  return /^\s*(?:\{\s*(?:["}]|$)|\[)/.test(text)
}

/** Where the first byte is that no UTF-8 text has there; `null` for valid text. Bisects, as checking a run is fast. */
function invalidUtf8At(bytes: Buffer): number | null {
  if (isUtf8(bytes)) return null
  let valid = 0
  let step = bytes.length
  while (step > 0) {
    const { head } = headOf(bytes.subarray(valid), step)
    if (head.length > 0 && isUtf8(head)) valid += head.length
    else step = step > 4 ? Math.floor(step / 2) : step - 1
  }
  return Math.min(valid, bytes.length - 1)
}
