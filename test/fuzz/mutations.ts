/** Ways to spoil valid bytes. Each returns new bytes and leaves its input alone. */
import { patchCrc } from '../../broker/wire/record-batch.ts'
import type { SeededRandom } from './random.ts'

type Mutation = (random: SeededRandom, bytes: Buffer, other: Buffer) => Buffer

/** Lengths and counts that break careless readers: huge, negative, null, one beyond a cap. */
const hostileWords = [
  '7fffffff',
  '80000000',
  'ffffffff',
  'fffffffe',
  '000f4241',
  '00989680',
  '7fff',
  '8000',
  'ffff',
  'ffffffff0f',
  'feffffff0f',
  'ffffffffff',
  '808080808080',
  '7f',
  'ff',
  '00',
].map((hex) => Buffer.from(hex, 'hex'))

const flipBits: Mutation = (random, bytes) => {
  const spoiled = Buffer.from(bytes)
  for (let left = 1 + random.below(4); left > 0 && spoiled.length > 0; left--)
    spoiled[random.below(spoiled.length)]! ^= 1 << random.below(8)
  return spoiled
}

const replaceBytes: Mutation = (random, bytes) => {
  const spoiled = Buffer.from(bytes)
  for (let left = 1 + random.below(8); left > 0 && spoiled.length > 0; left--) spoiled[random.below(spoiled.length)] = random.next()
  return spoiled
}

const truncate: Mutation = (random, bytes) => bytes.subarray(0, random.below(bytes.length + 1))

const overwriteWithHostileWord: Mutation = (random, bytes) => {
  const spoiled = Buffer.from(bytes)
  random.pick(hostileWords).copy(spoiled, random.below(spoiled.length + 1))
  return spoiled
}

const insertHostileWord: Mutation = (random, bytes) => {
  const at = random.below(bytes.length + 1)
  return Buffer.concat([bytes.subarray(0, at), random.pick(hostileWords), bytes.subarray(at)])
}

const insertBytes: Mutation = (random, bytes) => {
  const at = random.below(bytes.length + 1)
  return Buffer.concat([bytes.subarray(0, at), random.bytes(1 + random.below(16)), bytes.subarray(at)])
}

const removeBytes: Mutation = (random, bytes) => {
  const at = random.below(bytes.length + 1)
  return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + random.below(8))])
}

const splice: Mutation = (random, bytes, other) =>
  Buffer.concat([bytes.subarray(0, random.below(bytes.length + 1)), other.subarray(random.below(other.length + 1))])

const repeatTail: Mutation = (random, bytes) => {
  const tail = bytes.subarray(random.below(bytes.length + 1))
  return Buffer.concat([bytes, ...Array.from({ length: 1 + random.below(20) }, () => tail)])
}

const leaveAlone: Mutation = (_random, bytes) => bytes

const mutations: readonly Mutation[] = [
  flipBits,
  replaceBytes,
  truncate,
  overwriteWithHostileWord,
  overwriteWithHostileWord,
  insertHostileWord,
  insertBytes,
  removeBytes,
  splice,
  repeatTail,
  leaveAlone,
]

/** One to three mutations in a row. */
export function spoil(random: SeededRandom, bytes: Buffer, other: Buffer): Buffer {
  let spoiled = bytes
  for (let left = 1 + random.below(3); left > 0; left--) spoiled = random.pick(mutations)(random, spoiled, other)
  return spoiled
}

/** Makes the length and checksum of the first batch right again, so that what lies behind those checks is reached. */
export function mendBatch(bytes: Buffer): Buffer {
  if (bytes.length < 61) return bytes
  const mended = Buffer.from(bytes)
  mended.writeInt32BE(mended.length - 12, 8)
  mended.writeInt8(2, 16)
  patchCrc(mended, 0)
  return mended
}
