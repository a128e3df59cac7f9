/** Bytes as people inspect them: position, sixteen bytes in hex, and their printable letters. */
export interface HexLine {
  position: string
  hex: string
  text: string
}

export const hexBytesPerLine = 16

export function hexLineCount(bytes: Uint8Array): number {
  return Math.ceil(bytes.length / hexBytesPerLine)
}

/** One line of a dump; `basePosition` is where the first byte lies in the whole. */
export function hexLine(bytes: Uint8Array, line: number, basePosition = 0): HexLine {
  const start = line * hexBytesPerLine
  const shown = bytes.subarray(start, start + hexBytesPerLine)
  const pairs = Array.from(shown, (byte) => byte.toString(16).padStart(2, '0'))
  const half = hexBytesPerLine / 2
  return {
    position: (basePosition + start).toString(16).padStart(8, '0'),
    hex: [pairs.slice(0, half).join(' '), pairs.slice(half).join(' ')].join('  ').padEnd(hexBytesPerLine * 3),
    text: Array.from(shown, (byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : '·')).join(''),
  }
}

/** The bytes of pairs of hex digits, blanks between them allowed; null when it is something else. */
export function bytesFromHex(text: string): Uint8Array | null {
  const digits = text.replaceAll(/\s/g, '')
  if (digits.length % 2 !== 0 || /[^\da-fA-F]/.test(digits)) return null
  return Uint8Array.from({ length: digits.length / 2 }, (_unused, index) => Number.parseInt(digits.slice(index * 2, index * 2 + 2), 16))
}
