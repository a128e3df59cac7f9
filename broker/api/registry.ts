/**
 * What a node serves: one entry per Kafka API, naming its schema, the listeners that offer it, where it is carried out,
 * and its handler. The list of a broker's entries is in node/broker-apis.ts, a controller's in node/controller-apis.ts.
 */
import { boundsOf, type Decoded, type Encodable, type VersionRange } from '../wire/schema.ts'
import type { ErrorCode } from '../wire/errors.ts'
import type { AdvertisedApi, ApiHandler, ApiSchema } from './context.ts'
import { INTERNAL_LISTENER } from './context.ts'

/**
 * - `everywhere`: all listeners.
 * - `clients`: all but INTERNAL.
 * - `internal`: INTERNAL only; other listeners treat the key as unknown and never advertise it.
 */
export type ListenerScope = 'everywhere' | 'clients' | 'internal'

export interface ApiOptions<Schema extends ApiSchema, Services> {
  readonly listeners: ListenerScope
  /** Versions ApiVersions lists, where they are not the schema's. */
  readonly advertise?: VersionRange | 'never'
  /** Versions carried out, where some of the schema's are not. */
  readonly accept?: VersionRange
  readonly handle: ApiHandler<Schema, Services>
  /**
   * The response that says the whole request failed with `error`. Absent: a response with only its top-level errorCode
   * set, or, where it has none, the connection is closed.
   */
  readonly failure?: (request: Decoded<Schema['request']>, error: ErrorCode) => Encodable<Schema['response']>
  /** How many bytes the response may grow to while it is awaited, for an API where that is much. Absent: few. */
  readonly replyBytesMax?: (request: Decoded<Schema['request']>, services: Services) => number
}

/** An entry, its schema's types forgotten; dispatch pairs each decoded request with the handler of the same schema. */
export interface ApiDefinition<Services> {
  readonly schema: ApiSchema
  readonly listeners: ListenerScope
  readonly accepted: Versions
  /** `null`: served but never advertised. */
  readonly advertised: Versions | null
  readonly route: 'local' | 'controller'
  /** Absent exactly when the route is 'controller'. */
  readonly handle: ApiHandler<any, Services> | null
  readonly failure: ((request: any, error: ErrorCode) => unknown) | null
  readonly replyBytesMax: ((request: any, services: Services) => number) | null
}

/** Both included; `max` is Infinity when the range is open. */
export interface Versions {
  readonly min: number
  readonly max: number
}

/** An API carried out by the node that receives it. */
export function defineApi<Schema extends ApiSchema, Services>(
  schema: Schema,
  options: ApiOptions<Schema, Services>,
): ApiDefinition<Services> {
  const advertise = options.advertise ?? schema.advertised
  return {
    schema,
    listeners: options.listeners,
    accepted: boundsOf(options.accept ?? schema.versions),
    advertised: advertise === 'never' ? null : boundsOf(advertise),
    route: 'local',
    handle: options.handle,
    failure: options.failure ?? null,
    replyBytesMax: options.replyBytesMax ?? null,
  }
}

/** The controller's API as a broker offers it to clients: passed on, and the controller's answer returned. */
export function forwarded(definition: ApiDefinition<never>): ApiDefinition<unknown> {
  return { ...definition, listeners: 'clients', route: 'controller', handle: null, replyBytesMax: null }
}

/** The APIs one node offers, by key. */
export class ApiRegistry<Services> {
  readonly #byKey = new Map<number, ApiDefinition<Services>>()

  /** Throws when two entries share a key: a node offers an API once. */
  constructor(definitions: readonly ApiDefinition<Services>[]) {
    for (const definition of definitions) {
      const { key } = definition.schema
      if (this.#byKey.has(key)) throw new Error(`API ${key} is registered twice`)
      this.#byKey.set(key, definition)
    }
  }

  /** The entry for `apiKey` as seen from `listener`; `null` when that listener does not offer it. */
  find(apiKey: number, listener: string): ApiDefinition<Services> | null {
    const definition = this.#byKey.get(apiKey)
    return definition !== undefined && isOffered(definition.listeners, listener) ? definition : null
  }

  /** What `listener` advertises in ApiVersions, ascending by key. */
  advertised(listener: string): readonly AdvertisedApi[] {
    return [...this.#byKey.values()]
      .filter((definition) => definition.advertised !== null && isOffered(definition.listeners, listener))
      .map(({ schema, advertised }) => ({ apiKey: schema.key, minVersion: advertised!.min, maxVersion: advertised!.max }))
      .sort((one, other) => one.apiKey - other.apiKey)
  }
}

function isOffered(scope: ListenerScope, listener: string): boolean {
  if (scope === 'everywhere') return true
  return (scope === 'internal') === (listener === INTERNAL_LISTENER)
}
