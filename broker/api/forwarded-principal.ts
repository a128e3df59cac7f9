/** A principal inside an Envelope: int16 version 0, type and name, each a string with an int16 length. */
import { message, string } from '../wire/schema.ts'
import { decodePrefixed, encodePrefixed } from '../wire/codec.ts'
import { WireError } from '../wire/errors.ts'
import type { Principal } from '../security/principal.ts'

const forwardedPrincipal = message({
  name: 'ForwardedPrincipal',
  versions: '0',
  flexible: 'none',
  fields: { type: string(), name: string() },
})

export function encodeForwardedPrincipal(principal: Principal): Buffer {
  return encodePrefixed(forwardedPrincipal, 0, principal)
}

/** Null for bytes that are no principal. */
export function decodeForwardedPrincipal(bytes: Buffer): Principal | null {
  try {
    const { type, name } = decodePrefixed(forwardedPrincipal, bytes).value
    return type === 'User' || type === 'Node' ? { type, name } : null
  } catch (error) {
    if (error instanceof WireError) return null
    throw error
  }
}
