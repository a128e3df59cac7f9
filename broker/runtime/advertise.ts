/**
 * Extra listeners, for clients that cannot reach loopback: containers and other machines. Each address asked for gets a listener
 * of its own on every network address of this machine, on a block of ports of its own, and tells its clients that address;
 * CLIENT stays on loopback and tells loopback. Plaintext: whoever reaches the ports can use the cluster.
 */
import type { Env } from '../env/types.ts'
import type { NodeListener } from './node-protocol.ts'
import { anyFree, checkPort, firstTaken, isFree, portRange, portsFrom } from './ports.ts'
import { RuntimeError } from './types.ts'

export interface AdvertisedAddress {
  /** A name or an address, IPv6 without brackets. */
  readonly host: string
  /** Of the first broker, the others follow; bound and advertised alike. Absent: 19092 or the next free block; 0: any free ports. */
  readonly port?: number
}

/** One extra listener, on all brokers. */
export interface ExternalListener {
  /** EXTERNAL, EXTERNAL2, ... */
  readonly name: string
  readonly bindHost: string
  readonly advertisedHost: string
  /** By position of the broker. */
  readonly ports: readonly number[]
}

export const ADVERTISE_MAX = 8
const defaultPort = 19_092
const blockStep = 10
const blocksTriedMax = 200
const hostLengthMax = 253

/** What a person typed as HOST[:PORT]. Throws a `RuntimeError` (INVALID_OPTION) with a sentence that says what is allowed. */
export function parseAdvertised(text: string): AdvertisedAddress {
  const match = /^(?:\[(?<v6>[^\]]*)\]|(?<name>[^:[\]]*))(?::(?<port>\d{1,5}))?$/.exec(text)
  const { v6, name, port } = match?.groups ?? {}
  const address = { host: v6 ?? name ?? '', port: port === undefined ? undefined : Number(port) }
  if (match === null || (v6 === undefined ? !isNameOrIpv4(address.host) : !isIpv6(v6)) || (address.port ?? 0) > 65_535)
    throw new RuntimeError(
      'INVALID_OPTION',
      `"${text}" is not an address to advertise. Allowed is HOST or HOST:PORT, IPv6 in brackets, as in [fd00::1]:19092.`,
    )
  if (isWildcard(address.host))
    throw new RuntimeError(
      'INVALID_OPTION',
      `${address.host} is not an address clients can connect to. Name one by which they reach this machine.`,
    )
  return address
}

function isIpv6(text: string): boolean {
  return /^[0-9A-Fa-f:.]+$/.test(text) && URL.canParse(`http://[${text}]`)
}

function isNameOrIpv4(text: string): boolean {
  if (text.length > hostLengthMax || !/^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$/.test(text) || text.includes('..')) return false
  // What ends in a number is an IPv4 address or nothing: see the URL standard, "ends in a number".
  return !/(?:^|\.)\d+$/.test(text) || (/^\d+(?:\.\d+){3}$/.test(text) && URL.canParse(`http://${text}`))
}

function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || (host.includes(':') && URL.parse(`http://[${host}]`)?.hostname === '[::]')
}

/** `host:port`, IPv6 in brackets. */
export function hostAndPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

/**
 * Ports for every address asked for, `count` each, apart from each other and from `used`. A port that was named must be free
 * (PORT_IN_USE) and in nobody's way here (INVALID_OPTION). As with CLIENT, another process can still be faster; the broker then says so.
 */
export async function chooseExternal(
  env: Env,
  options: { readonly advertise: readonly AdvertisedAddress[]; readonly count: number; readonly used: readonly number[] },
): Promise<readonly ExternalListener[]> {
  const { advertise, count } = options
  if (advertise.length === 0) return []
  if (advertise.length > ADVERTISE_MAX)
    throw new RuntimeError('INVALID_OPTION', `At most ${ADVERTISE_MAX} addresses are advertised, not ${advertise.length}.`)
  // Bound on IPv6's wildcard a listener takes IPv4 too; a machine without IPv6 has only the other one.
  const bindHost = (await isFree(env, '::', 0)) ? '::' : '0.0.0.0'
  const used = new Set(options.used)
  const listeners: ExternalListener[] = []
  for (const [index, address] of advertise.entries()) {
    const ports = await blockFor(env, bindHost, address, count, used)
    for (const port of ports) used.add(port)
    listeners.push({ name: index === 0 ? 'EXTERNAL' : `EXTERNAL${index + 1}`, bindHost, advertisedHost: address.host, ports })
  }
  return listeners
}

async function blockFor(
  env: Env,
  bindHost: string,
  { host, port }: AdvertisedAddress,
  count: number,
  used: ReadonlySet<number>,
): Promise<readonly number[]> {
  if (port === 0) return anyFree(env, bindHost, count)
  if (port === undefined) return nextFree(env, bindHost, count, used)
  checkPort(port, count)
  const ports = portsFrom(port, count)
  const clash = ports.find((one) => used.has(one))
  if (clash !== undefined)
    throw new RuntimeError(
      'INVALID_OPTION',
      `${hostAndPort(host, port)} cannot be advertised: another listener of this cluster has port ${clash}.`,
    )
  const taken = await firstTaken(env, [bindHost], port, count)
  if (taken !== null)
    throw new RuntimeError(
      'PORT_IN_USE',
      `${hostAndPort(host, port)} cannot be advertised: port ${taken} is taken by another program. Name another one, or none to have the next free block.`,
    )
  return ports
}

async function nextFree(env: Env, bindHost: string, count: number, used: ReadonlySet<number>): Promise<readonly number[]> {
  for (let index = 0; index < blocksTriedMax; index += 1) {
    const first = defaultPort + index * Math.max(blockStep, count)
    if (first + count - 1 > 65_535) break
    const ports = portsFrom(first, count)
    if (ports.some((port) => used.has(port))) continue
    if ((await firstTaken(env, [bindHost], first, count)) === null) return ports
  }
  throw new RuntimeError('PORT_IN_USE', `No block of ${count} free ports was found from ${defaultPort} on.`)
}

/** The extra listeners of the broker at this position. */
export function externalListenersOf(external: readonly ExternalListener[], position: number): readonly NodeListener[] {
  return external.map(({ name, bindHost, advertisedHost, ports }) => ({ name, host: bindHost, port: ports[position] ?? 0, advertisedHost }))
}

/** What clients outside are to be given, one `bootstrap.servers` for each address asked for. */
export function advertisedServers(external: readonly ExternalListener[]): readonly string[] {
  return external.map(({ advertisedHost, ports }) => ports.map((port) => hostAndPort(advertisedHost, port)).join(','))
}

/** What whoever opens the cluster to others has to know. `null` when nothing is advertised. */
export function exposureWarning(external: readonly ExternalListener[]): string | null {
  if (external.length === 0) return null
  const where = external.map(({ ports }) => portRange(ports)).join(' and ')
  return `Advertised as ${advertisedServers(external).join(' and ')}. Whoever reaches ${where} of this machine can read and change everything in the cluster: there is no TLS and no password.`
}
