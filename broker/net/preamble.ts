/**
 * The first frame on a connection to an INTERNAL listener: proof of the run's secret and the peer's identity.
 *
 *   magic "WEIR" · version uint8 = 1 · role uint8 · nodeId int32 · secret: uint16 length and UTF-8 bytes
 *
 * It is not answered. A listener that does not accept it closes the connection; one that does reads requests from then
 * on. The magic can be no Kafka request (its API key would be 22341), so either kind of listener refuses the other's clients.
 */
import { ConnectionRefused } from './types.ts'
import type { PeerIdentity } from './types.ts'

/** The largest preamble: nothing bigger is read before a peer has proved itself. */
export const PREAMBLE_BYTES_MAX = 512

const MAGIC = 0x57454952
const VERSION = 1
const FIXED_BYTES = 12
const roles: readonly PeerIdentity['role'][] = ['broker', 'controller', 'tool']

/** The frame with its size, ready to be written first. */
export function encodePreamble(identity: PeerIdentity, secret: string): Buffer {
  const secretBytes = Buffer.from(secret, 'utf8')
  const frameBytes = FIXED_BYTES + secretBytes.length
  if (frameBytes > PREAMBLE_BYTES_MAX) throw new RangeError(`secret of ${secretBytes.length} bytes is too long`)
  const sized = Buffer.alloc(4 + frameBytes)
  sized.writeInt32BE(frameBytes, 0)
  const frame = sized.subarray(4)
  frame.writeUInt32BE(MAGIC, 0)
  frame.writeUInt8(VERSION, 4)
  frame.writeUInt8(roles.indexOf(identity.role), 5)
  frame.writeInt32BE(identity.nodeId, 6)
  frame.writeUInt16BE(secretBytes.length, 10)
  secretBytes.copy(frame, FIXED_BYTES)
  return sized
}

/** Throws `ConnectionRefused` unless the frame is a preamble with this secret. */
export function decodePreamble(frame: Buffer, secret: string): PeerIdentity {
  if (frame.length < FIXED_BYTES || frame.readUInt32BE(0) !== MAGIC) {
    throw new ConnectionRefused('no preamble: this listener serves the nodes of its own cluster only')
  }
  if (frame.readUInt8(4) !== VERSION) throw new ConnectionRefused(`preamble version ${frame.readUInt8(4)} is not known`)
  const role = roles[frame.readUInt8(5)]
  const secretBytes = frame.readUInt16BE(10)
  if (role === undefined || frame.length !== FIXED_BYTES + secretBytes) throw new ConnectionRefused('malformed preamble')
  if (!equalInConstantTime(frame.subarray(FIXED_BYTES), Buffer.from(secret, 'utf8'))) {
    throw new ConnectionRefused('wrong secret in the preamble: the peer belongs to another run')
  }
  return { nodeId: frame.readInt32BE(6), role }
}

/** Takes as long for a wrong guess as for a right one; only the length shows. */
function equalInConstantTime(given: Uint8Array, expected: Uint8Array): boolean {
  let difference = given.length ^ expected.length
  for (let index = 0; index < expected.length; index++) {
    difference |= (given[index] ?? 0) ^ (expected[index] as number)
  }
  return difference === 0
}
