/** Damages the files of a partition folder the ways a bad disk, a torn write or a careless hand does. */

export interface DamageRandom {
  below(bound: number): number
  bytes(count: number): Uint8Array
}

export type Damage = 'flip' | 'cut' | 'zero' | 'garbage' | 'append' | 'empty'

const kinds: readonly Damage[] = ['flip', 'cut', 'zero', 'garbage', 'append', 'empty']

/** The damaged content and where it first differs from the original. */
export function damaged(content: Buffer, random: DamageRandom): { content: Buffer; firstBadByte: number; kind: Damage } {
  const kind = kinds[random.below(kinds.length)] ?? 'flip'
  const at = random.below(content.length + 1)
  const result = apply(kind, content, at, random)
  let firstBadByte = 0
  while (firstBadByte < content.length && result[firstBadByte] === content[firstBadByte]) firstBadByte++
  return { content: result, firstBadByte, kind }
}

function apply(kind: Damage, content: Buffer, at: number, random: DamageRandom): Buffer {
  const result = Buffer.from(content)
  if (kind === 'empty') return Buffer.alloc(0)
  if (kind === 'cut') return result.subarray(0, at)
  if (kind === 'append') return Buffer.concat([content, random.bytes(1 + random.below(200))])
  if (at === content.length) return result
  if (kind === 'flip') result[at] = (result[at] ?? 0) ^ (1 + random.below(255))
  else if (kind === 'zero') result.fill(0, at, Math.min(content.length, at + 1 + random.below(content.length)))
  else Buffer.from(random.bytes(1 + random.below(300))).copy(result, at)
  return result
}
