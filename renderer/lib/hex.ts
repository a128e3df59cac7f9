/** Bytes as people inspect them: position, a line of bytes in hex, and their printable letters. */
export interface HexLine {
  position: string
  hex: string
  text: string
}

export type HexWidth = 8 | 16

export function hexLineCount(bytes: Uint8Array, bytesPerLine: HexWidth = 16): number {
  return Math.ceil(bytes.length / bytesPerLine)
}

/** One line of a dump; `basePosition` is where the first byte lies in the whole. */
export function hexLine(bytes: Uint8Array, line: number, basePosition = 0, bytesPerLine: HexWidth = 16): HexLine {
  const start = line * bytesPerLine
  const shown = bytes.subarray(start, start + bytesPerLine)
  const pairs = Array.from(shown, (byte) => byte.toString(16).padStart(2, '0'))
  return {
    position: (basePosition + start).toString(16).padStart(8, '0'),
    hex: [pairs.slice(0, 8).join(' '), pairs.slice(8).join(' ')]
      .join('  ')
      .trimEnd()
      .padEnd(bytesPerLine * 3),
    text: Array.from(shown, (byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : '·')).join(''),
  }
}

/** The bytes of pairs of hex digits, blanks between them allowed; null when it is something else. */
export function bytesFromHex(text: string): Uint8Array | null {
  const digits = text.replaceAll(/\s/g, '')
  if (digits.length % 2 !== 0 || /[^\da-fA-F]/.test(digits)) return null
  return Uint8Array.from({ length: digits.length / 2 }, (_unused, index) => Number.parseInt(digits.slice(index * 2, index * 2 + 2), 16))
}
