/** Bytes as people inspect them: offset, sixteen bytes in hex, and their printable letters. */
export interface HexLine {
  offset: string
  hex: string
  text: string
}

const BYTES_PER_LINE = 16

export function hexLines(bytes: Uint8Array): HexLine[] {
  const lines: HexLine[] = []
  for (let start = 0; start < bytes.length; start += BYTES_PER_LINE) {
    lines.push(hexLine(bytes.subarray(start, start + BYTES_PER_LINE), start))
  }
  return lines
}

function hexLine(bytes: Uint8Array, start: number): HexLine {
  const pairs = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0'))
  const halves = [pairs.slice(0, 8).join(' '), pairs.slice(8).join(' ')]
  return {
    offset: start.toString(16).padStart(8, '0'),
    hex: halves.join('  ').padEnd(BYTES_PER_LINE * 3),
    text: Array.from(bytes, (byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : '·')).join(''),
  }
}

export function bytesFromBase64(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))
}

export function base64FromBytes(bytes: Uint8Array): string {
  let binary = ''
  for (const byte of bytes) binary += String.fromCharCode(byte)
  return btoa(binary)
}
