/** The context of a request as a handler sees it, for tests that call handlers directly. */
import type { RequestContext } from '../../broker/api/context.ts'
import { ANONYMOUS } from '../../broker/security/principal.ts'

export interface RecordedContext extends RequestContext {
  /** What the handler asked for, in order. */
  readonly asked: string[]
}

export function requestContext(fields: Partial<RequestContext> & { readonly apiVersion: number }): RecordedContext {
  const asked: string[] = []
  return {
    apiKey: -1,
    clientId: 'test-client',
    listener: 'CLIENT',
    principal: ANONYMOUS,
    peer: { host: '127.0.0.1', port: 50_000 },
    signal: new AbortController().signal,
    authorize: () => true,
    quota: () => 0,
    ordered: () => void asked.push('ordered'),
    describeClient: (name, version) => void asked.push(`client ${name} ${version}`),
    closeConnection: (reason) => void asked.push(`close: ${reason}`),
    ...fields,
    asked,
  }
}
