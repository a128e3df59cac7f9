/**
 * What a node is told at its start, checked before anything is opened. The runtime passes it as JSON; a mistake in it is
 * said with the field, the value and what is allowed.
 */
import { brokerSettingProblem } from '../api/broker-settings.ts'
import { INTERNAL_LISTENER } from '../api/context.ts'
import type { LogLevel } from '../env/types.ts'

export interface NodeConfig {
  readonly role: 'broker' | 'controller'
  readonly nodeId: number
  readonly clusterId: string
  readonly dataDirectory: string
  /** The same name twice binds two addresses of one listener; the first is the one advertised. */
  readonly listeners: readonly ListenerConfig[]
  /** What peers on the INTERNAL listener prove themselves with. */
  readonly internalSecret: string
  /** Empty until the controllers have bound their ports. */
  readonly controllers: readonly ControllerAddress[]
  readonly voters: readonly Voter[]
  /** Of a broker: the voter that runs in its process. */
  readonly companion?: NodeConfig
  readonly logLevel: LogLevel
  /** Under Kafka's names for settings in server.properties. */
  readonly configOverrides: Readonly<Record<string, string>>
}

export interface ListenerConfig {
  readonly name: string
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  /** What clients are told to connect to, where that is not where the listener is bound. */
  readonly advertisedHost?: string
  readonly advertisedPort?: number
}

export interface ControllerAddress {
  readonly id: number
  readonly host: string
  readonly port: number
}

export interface Voter {
  readonly id: number
  readonly directoryId: string
}

/** The configuration cannot be used; the message is for a person. */
export class NodeConfigError extends Error {
  constructor(problem: string) {
    super(`Node configuration: ${problem}`)
    this.name = 'NodeConfigError'
  }
}

const logLevels: readonly unknown[] = ['debug', 'info', 'warn', 'error']

/** Throws a `NodeConfigError` naming the first field that cannot be used. */
export function parseNodeConfig(json: string): NodeConfig {
  return parseFields(parseJson(json))
}

function parseFields(raw: Fields): NodeConfig {
  const role = raw['role']
  if (role !== 'broker' && role !== 'controller') throw refuse('role', role, '"broker" or "controller"')
  const logLevel = raw['logLevel'] ?? 'info'
  if (!logLevels.includes(logLevel)) throw refuse('logLevel', logLevel, `one of ${logLevels.join(', ')}`)
  const listeners = list(raw, 'listeners').map(parseListener)
  if (!listeners.some(({ name }) => name === INTERNAL_LISTENER))
    throw refuse('listeners', listeners, `a list with one named ${INTERNAL_LISTENER}`)
  return {
    role,
    nodeId: integer(raw, 'nodeId', 0, 2 ** 31 - 1),
    clusterId: text(raw, 'clusterId'),
    dataDirectory: text(raw, 'dataDirectory'),
    listeners,
    internalSecret: text(raw, 'internalSecret'),
    controllers: parseControllers(list(raw, 'controllers')),
    voters: list(raw, 'voters').map((voter) => ({ id: integer(voter, 'id', 0, 2 ** 31 - 1), directoryId: text(voter, 'directoryId') })),
    companion: parseCompanion(role, raw['companion']),
    logLevel: logLevel as LogLevel,
    configOverrides: parseOverrides(raw['configOverrides'] ?? {}),
  }
}

function parseCompanion(role: NodeConfig['role'], value: unknown): NodeConfig | undefined {
  if (value === undefined) return undefined
  const companion = parseFields(asObject(value, 'companion'))
  if (role === 'broker' && companion.role === 'controller' && companion.companion === undefined) return companion
  throw refuse('companion', companion.role, 'a controller, and given for a broker')
}

/** Also for the addresses that follow once the controllers have bound their ports. */
export function parseControllers(entries: readonly unknown[]): readonly ControllerAddress[] {
  return entries.map((entry) => {
    const address = asObject(entry, 'controllers')
    return { id: integer(address, 'id', 0, 2 ** 31 - 1), host: text(address, 'host'), port: integer(address, 'port', 1, 65_535) }
  })
}

function parseListener(entry: Fields): ListenerConfig {
  const listener = { name: text(entry, 'name'), host: text(entry, 'host'), port: integer(entry, 'port', 0, 65_535) }
  const advertisedHost = entry['advertisedHost'] === undefined ? undefined : text(entry, 'advertisedHost')
  const advertisedPort = entry['advertisedPort'] === undefined ? undefined : integer(entry, 'advertisedPort', 1, 65_535)
  return { ...listener, advertisedHost, advertisedPort }
}

function parseOverrides(value: unknown): Readonly<Record<string, string>> {
  const overrides: Record<string, string> = {}
  for (const [name, given] of Object.entries(asObject(value, 'configOverrides'))) {
    const problem = brokerSettingProblem(name, String(given))
    if (problem !== null) throw new NodeConfigError(problem)
    overrides[name] = String(given)
  }
  return overrides
}

type Fields = Readonly<Record<string, unknown>>

function parseJson(json: string): Fields {
  try {
    return asObject(JSON.parse(json), 'it')
  } catch (error) {
    if (error instanceof NodeConfigError) throw error
    throw new NodeConfigError(`it must be JSON (${(error as Error).message})`)
  }
}

function asObject(value: unknown, name: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw refuse(name, value, 'an object')
  return value as Fields
}

function list(fields: Fields, name: string): readonly Fields[] {
  const value = fields[name]
  if (!Array.isArray(value)) throw refuse(name, value, 'a list')
  return value.map((entry) => asObject(entry, name))
}

function text(fields: Fields, name: string): string {
  const value = fields[name]
  if (typeof value !== 'string' || value === '') throw refuse(name, value, 'a text that is not empty')
  return value
}

function integer(fields: Fields, name: string, min: number, max: number): number {
  const value = fields[name]
  if (!Number.isInteger(value) || (value as number) < min || (value as number) > max)
    throw refuse(name, value, `a whole number from ${min} to ${max}`)
  return value as number
}

/** The secret itself is never shown. */
function refuse(name: string, value: unknown, allowed: string): NodeConfigError {
  const shown = name === 'internalSecret' ? 'what was given' : (JSON.stringify(value)?.slice(0, 200) ?? 'nothing')
  return new NodeConfigError(`${name} must be ${allowed}, not ${shown}.`)
}
