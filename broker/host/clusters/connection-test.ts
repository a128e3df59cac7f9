/** Tries a connection step by step, so that a person learns which step failed on which address, and why. */
import { ClientError } from '../../client/error.ts'
import type { ClusterMetadata, KafkaClient } from '../../client/types.ts'
import type { ConnectionTest, ConnectionTestStep } from '../../contract/clusters.ts'
import type { Env } from '../../env/types.ts'
import type { CreateClient } from '../client-factory.ts'
import { plural } from '../plural.ts'
import { parseBootstrapServers } from './addresses.ts'
import { adviceFor, explainUnreachable, type Unreachable } from './reachability.ts'
import type { ClusterRegistry } from './registry.ts'

const testDeadlineMs = 10_000
const connectDeadlineMs = 4_000

interface TestServices {
  readonly env: Env
  readonly createClient: CreateClient
  readonly clusters: ClusterRegistry
}

/** Takes at most ten seconds. Rejects only for text that is no address. */
export async function testConnection(services: TestServices, typed: readonly string[], outer?: AbortSignal): Promise<ConnectionTest> {
  const { env } = services
  const addresses = parseBootstrapServers(typed)
  const signal = outer ?? new AbortController().signal
  const deadlineMs = env.clock.monotonicMs() + testDeadlineMs
  const steps: ConnectionTestStep[] = []
  const results = await Promise.all(addresses.slice(0, 8).map((address) => tryAddress(services, address, signal)))
  steps.push(...results.flatMap((result) => result.steps))
  const answered = results.find((result) => result.metadata !== null)
  const failure = worstOf(results.flatMap((result) => (result.failure === null ? [] : [result.failure])))
  if (answered?.metadata === undefined || answered.metadata === null) {
    return { ok: false, steps, failure, kafkaClusterId: null, brokers: [], roundTripMs: null, sameAsClusterId: null }
  }
  const leftMs = Math.max(500, Math.min(connectDeadlineMs, deadlineMs - env.clock.monotonicMs()))
  const brokers = await Promise.all(answered.metadata.brokers.map((broker) => tryBroker(services, broker, leftMs, steps, signal)))
  const kafkaClusterId = answered.metadata.clusterId
  const ok = brokers.some((broker) => broker.reachable)
  const same = services.clusters.views().find((cluster) => kafkaClusterId !== null && cluster.kafkaClusterId === kafkaClusterId)
  return {
    ok,
    steps,
    failure: ok ? null : advertisedUnreachable(answered.metadata),
    kafkaClusterId,
    brokers,
    roundTripMs: answered.roundTripMs,
    sameAsClusterId: same?.id ?? null,
  }
}

interface AddressResult {
  readonly steps: readonly ConnectionTestStep[]
  readonly metadata: ClusterMetadata | null
  readonly roundTripMs: number | null
  readonly failure: Unreachable | null
}

async function tryAddress({ env, createClient }: TestServices, address: string, signal: AbortSignal): Promise<AddressResult> {
  const client: KafkaClient = createClient([address], 'weir-connection-test')
  const startMs = env.clock.monotonicMs()
  const elapsedMs = (): number => Math.round(env.clock.monotonicMs() - startMs)
  try {
    const metadata = await client.metadata({ refresh: true, timeoutMs: connectDeadlineMs, signal })
    const connectMs = elapsedMs()
    const again = env.clock.monotonicMs()
    await client.metadata({ refresh: true, timeoutMs: connectDeadlineMs, signal })
    const roundTripMs = Math.round((env.clock.monotonicMs() - again) * 10) / 10
    const found = `${plural(metadata.brokers.length, 'broker')}, cluster id ${metadata.clusterId ?? 'not told'}.`
    return {
      steps: [
        { step: 'connect', address, ok: true, elapsedMs: connectMs, message: 'Connected.' },
        { step: 'handshake', address, ok: true, elapsedMs: connectMs, message: 'It speaks the Kafka protocol in plaintext.' },
        { step: 'metadata', address, ok: true, elapsedMs: connectMs, message: found },
      ],
      metadata,
      roundTripMs,
      failure: null,
    }
  } catch (error) {
    const failure = explainUnreachable(error)
    return { steps: failedSteps(address, failure, elapsedMs()), metadata: null, roundTripMs: null, failure }
  } finally {
    await client.close()
  }
}

/** What went well before the failure is said too: a refused port means that the name was found. */
function failedSteps(address: string, failure: Unreachable, elapsedMs: number): readonly ConnectionTestStep[] {
  const failed = (step: ConnectionTestStep['step']): ConnectionTestStep => ({
    step,
    address,
    ok: false,
    elapsedMs,
    message: failure.message,
  })
  const went = (step: ConnectionTestStep['step'], message: string): ConnectionTestStep => ({ step, address, ok: true, elapsedMs, message })
  switch (failure.reason) {
    case 'name-not-found':
      return [failed('resolve')]
    case 'refused':
    case 'timed-out':
      return [went('resolve', 'The host name was found.'), failed('connect')]
    case 'not-kafka':
    case 'tls-or-sasl-expected':
    case 'version-unsupported':
    case 'connection-lost':
      return [went('connect', 'Connected.'), failed('handshake')]
    default:
      return [failed('connect')]
  }
}

async function tryBroker(
  { env, createClient }: TestServices,
  broker: { readonly nodeId: number; readonly host: string; readonly port: number },
  timeoutMs: number,
  steps: ConnectionTestStep[],
  signal: AbortSignal,
): Promise<ConnectionTest['brokers'][number]> {
  const address = `${broker.host.includes(':') ? `[${broker.host}]` : broker.host}:${broker.port}`
  const client = createClient([address], 'weir-connection-test')
  const startMs = env.clock.monotonicMs()
  let problem: string | null = null
  try {
    await client.metadata({ refresh: true, timeoutMs, signal })
  } catch (error) {
    problem = error instanceof ClientError ? explainUnreachable(error).message : String(error)
  } finally {
    await client.close()
  }
  const message =
    problem === null ? `Broker ${broker.nodeId} can be reached at its advertised address.` : `Broker ${broker.nodeId}: ${problem}`
  steps.push({ step: 'advertised', address, ok: problem === null, elapsedMs: Math.round(env.clock.monotonicMs() - startMs), message })
  return { id: broker.nodeId, host: broker.host, port: broker.port, reachable: problem === null }
}

function advertisedUnreachable(metadata: ClusterMetadata): Unreachable {
  const addresses = metadata.brokers.map(({ host, port }) => `${host}:${port}`).join(', ')
  return {
    reason: 'advertised-unreachable',
    message: `The address given answers, but none of the addresses the brokers advertise can be reached: ${addresses || 'none'}.`,
    advice: adviceFor('advertised-unreachable'),
  }
}

function worstOf(failures: readonly Unreachable[]): Unreachable | null {
  return failures.find((failure) => failure.reason !== 'name-not-found') ?? failures[0] ?? null
}
