/**
 * Who speaks on the INTERNAL listener. A node proved its id in the preamble of its connection, so what it says of itself is
 * believed, and what it says in another node's name is not.
 */
import { INTERNAL_LISTENER, type RequestContext } from './context.ts'

/** Whether this connection is that node's own. */
export function speaksFor({ listener, principal }: Pick<RequestContext, 'listener' | 'principal'>, nodeId: number): boolean {
  return listener === INTERNAL_LISTENER && principal.type === 'Node' && principal.name === String(nodeId)
}
