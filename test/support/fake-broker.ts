/**
 * A broker made of answers: it listens through `serve`, reads requests by the schemas and replies as it was told.
 * What it was asked is kept, in order. Versions it claims can be narrowed, connections cut.
 */
import { apiVersions } from '../../broker/api/18-api-versions.schema.ts'
import { schemas } from '../../broker/api/schemas.ts'
import type { Address, Env } from '../../broker/env/types.ts'
import type { ApiDefinition } from '../../broker/net/request-channel.ts'
import { serve } from '../../broker/net/server.ts'
import type { RequestHandling, Server, ServerConnection } from '../../broker/net/types.ts'
import { decodeMessage } from '../../broker/wire/codec.ts'
import { decodeRequestHeader, encodeResponseFrame } from '../../broker/wire/headers.ts'
import type { Decoded, Encodable } from '../../broker/wire/schema.ts'
import { boundsOf, isInRange } from '../../broker/wire/schema.ts'

export interface FakeRequest<A extends ApiDefinition = ApiDefinition> {
  readonly api: A
  readonly version: number
  readonly body: Decoded<A['request']>
  readonly clientId: string
  readonly connection: ServerConnection
}

/** `null`: no reply. Throwing closes the connection. */
export type FakeAnswer<A extends ApiDefinition> = (
  request: FakeRequest<A>,
) => Encodable<A['response']> | null | Promise<Encodable<A['response']> | null>

export class FakeBroker {
  readonly requests: FakeRequest[] = []
  readonly #env: Env
  readonly #answers = new Map<number, FakeAnswer<ApiDefinition>>()
  readonly #ranges = new Map<number, { minVersion: number; maxVersion: number }>()
  readonly #connections = new Set<ServerConnection>()
  #server: Server | null = null

  constructor(env: Env) {
    this.#env = env
    this.on(apiVersions, () => ({ errorCode: 0, apiKeys: this.apiKeys() }))
  }

  get address(): Address {
    return (this.#server as Server).address
  }

  async listen(port = 0): Promise<this> {
    this.#server = await serve(this.#env, { name: 'CLIENT', address: { host: '127.0.0.1', port } }, (frame, connection) =>
      this.#handle(frame, connection),
    )
    return this
  }

  /** Answers an API, and claims all its versions or those given. */
  on<A extends ApiDefinition>(api: A, answer: FakeAnswer<A>, versions?: { readonly min: number; readonly max: number }): this {
    const { min, max } = versions ?? boundsOf(api.request.versions)
    this.#answers.set(api.key, answer as unknown as FakeAnswer<ApiDefinition>)
    this.#ranges.set(api.key, { minVersion: min, maxVersion: max })
    return this
  }

  apiKeys(): { apiKey: number; minVersion: number; maxVersion: number }[] {
    return Array.from(this.#ranges, ([apiKey, range]) => ({ apiKey, ...range }))
  }

  requestsOf<A extends ApiDefinition>(api: A): FakeRequest<A>[] {
    return this.requests.filter((request) => request.api.key === api.key) as unknown as FakeRequest<A>[]
  }

  /** Ends every connection, as a crash would; the broker goes on listening. */
  cutConnections(): void {
    for (const connection of [...this.#connections]) connection.close('cut by the test')
  }

  async close(): Promise<void> {
    await this.#server?.close({ graceMs: 1 })
  }

  #handle(frame: Buffer, connection: ServerConnection): RequestHandling {
    this.#connections.add(connection)
    const isFlexible = (key: number, version: number): boolean => {
      const flexible = schemas.get(key)?.flexible ?? 'none'
      return flexible !== 'none' && isInRange(flexible, version)
    }
    const { apiKey, apiVersion, correlationId, clientId, bodyPosition } = decodeRequestHeader(frame, isFlexible)
    const api = schemas.get(apiKey) as ApiDefinition
    const answer = this.#answers.get(apiKey)
    if (answer === undefined) throw new Error(`the fake broker was not told how to answer ${api.name}`)
    connection.countRequest(apiKey)
    const body = decodeMessage(api.request, apiVersion, frame, bodyPosition)
    const request: FakeRequest = { api, version: apiVersion, body, clientId, connection }
    this.requests.push(request)
    const reply = Promise.resolve(answer(request)).then((response) =>
      response === null ? null : { chunks: encodeResponseFrame(api, { apiVersion, correlationId }, response) },
    )
    return { ordered: null, reply }
  }
}
