/** Chooses where brokers listen: a block of neighbouring ports that is free on both loopback addresses. For extra listeners see advertise.ts. */
import type { Env } from '../env/types.ts'
import { TransportError } from '../env/types.ts'
import { RuntimeError } from './types.ts'

export const DEFAULT_PORT = 9092
/** Blocks are tried this far apart, so that a cluster beside another one has round numbers. */
const blockStep = 10
const blocksTriedMax = 200

export interface PortBlock {
  /** By position of the broker. */
  readonly ports: readonly number[]
  /** CLIENT listeners are bound on each; IPv6 only where the machine has it. */
  readonly hosts: readonly string[]
  /** The first port that was taken before a free block was found. */
  readonly taken: number | null
}

/**
 * `port` is the first of the block: named, it must be free (PORT_IN_USE); 0 takes any free ports; absent means 9092 or the
 * next free block. Between this look and a broker's own bind another process can take a port; the broker then says so.
 */
export async function choosePorts(env: Env, options: { readonly port: number | undefined; readonly count: number }): Promise<PortBlock> {
  const { port, count } = options
  if (port !== undefined) checkPort(port, count)
  const hosts = await loopbackHosts(env)
  if (port === 0) return { ports: await anyFree(env, '127.0.0.1', count), hosts: hosts.slice(0, 1), taken: null }
  if (port !== undefined) {
    const taken = await firstTaken(env, hosts, port, count)
    if (taken !== null)
      throw new RuntimeError(
        'PORT_IN_USE',
        `Port ${taken} is taken by another program. Name another one, or none to have the next free block.`,
      )
    return { ports: portsFrom(port, count), hosts, taken: null }
  }
  return nextFreeBlock(env, hosts, count)
}

/** Throws INVALID_OPTION when a block from there on would pass the last port. */
export function checkPort(port: number, count: number): void {
  if (Number.isInteger(port) && port >= 0 && port + count - 1 <= 65_535) return
  throw new RuntimeError('INVALID_OPTION', `${count} brokers do not fit at port ${port}: ports end at 65535.`)
}

async function nextFreeBlock(env: Env, hosts: readonly string[], count: number): Promise<PortBlock> {
  let firstSeenTaken: number | null = null
  for (let index = 0; index < blocksTriedMax; index += 1) {
    const first = DEFAULT_PORT + index * Math.max(blockStep, count)
    if (first + count - 1 > 65_535) break
    const taken = await firstTaken(env, hosts, first, count)
    if (taken === null) return { ports: portsFrom(first, count), hosts, taken: firstSeenTaken }
    firstSeenTaken ??= taken
  }
  throw new RuntimeError('PORT_IN_USE', `No block of ${count} free ports was found from ${DEFAULT_PORT} on.`)
}

/** Held all at once, so that they differ, and given free for the brokers to bind. */
export async function anyFree(env: Env, host: string, count: number): Promise<number[]> {
  const held = await Promise.all(
    Array.from({ length: count }, () => env.transport.listen({ host, port: 0 }, (connection) => connection.destroy())),
  )
  await Promise.all(held.map((listener) => listener.close()))
  return held.map(({ address }) => address.port)
}

export function portsFrom(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => first + index)
}

/** For people: `port 9092`, or `ports 9092 to 9094`; ports that are no neighbours are listed. */
export function portRange(ports: readonly number[]): string {
  const [first = 0] = ports
  if (ports.length === 1) return `port ${first}`
  return ports.every((port, index) => port === first + index) ? `ports ${first} to ${ports.at(-1)}` : `ports ${ports.join(', ')}`
}

export async function firstTaken(env: Env, hosts: readonly string[], first: number, count: number): Promise<number | null> {
  const answers = await Promise.all(
    portsFrom(first, count).map(async (port) => {
      const free = await Promise.all(hosts.map((host) => isFree(env, host, port)))
      return free.every(Boolean) ? null : port
    }),
  )
  return answers.find((port) => port !== null) ?? null
}

/** EACCES counts as taken: it cannot be ours. */
export async function isFree(env: Env, host: string, port: number): Promise<boolean> {
  try {
    const listener = await env.transport.listen({ host, port }, (connection) => connection.destroy())
    await listener.close()
    return true
  } catch (error) {
    if (error instanceof TransportError) return false
    throw error
  }
}

async function loopbackHosts(env: Env): Promise<readonly string[]> {
  return (await isFree(env, '::1', 0)) ? ['127.0.0.1', '::1'] : ['127.0.0.1']
}
