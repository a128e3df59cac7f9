/**
 * The machines of a simulated cluster and the processes on them: whole controllers and brokers, each with a disk, a clock and
 * a data folder of its own, and a supervisor that starts again whatever ends by itself.
 *
 *   down -> starting -> up -> down (killed, power lost, stopped, failed)
 *
 * Only this object starts and ends processes.
 */
import { SimulatedWorld, type SimulatedEnv } from '../../broker/env/simulated.ts'
import { createBroker } from '../../broker/node/broker.ts'
import type { NodeConfig } from '../../broker/node/config.ts'
import { createController } from '../../broker/node/controller.ts'
import type { RunningNode } from '../../broker/node/running-node.ts'
import { START_MS } from './lifetime-constants.ts'

const CLUSTER_ID = 'K9zq8zKfQKm1yVb3b5J1tw'
const SECRET = 'the secret of this run'
const FIRST_CONTROLLER = 1001
const CLIENT_PORT = 9091
const INTERNAL_PORT = 20_000
/** From a process's end by itself until its supervisor has started it again. */
const RESTART_MS = 400

export type Role = NodeConfig['role']
/** A clean stop has written down that nothing is missing. */
export type EndCause = 'kill' | 'powerLoss' | 'cleanStop'

export interface ClusterShape {
  readonly seed: string
  readonly brokers: number
  readonly voters: number
  readonly diskLatencyMsMax: number
  readonly networkLatencyMsMax: number
}

/** Quick enough for many failures in half a minute; everything else as shipped. */
const quickSettings: Readonly<Record<string, string>> = {
  'broker.heartbeat.interval.ms': '500',
  'broker.session.timeout.ms': '2500',
  'replica.lag.time.max.ms': '2500',
  'group.initial.rebalance.delay.ms': '0',
  'min.insync.replicas': '2',
  'offsets.topic.num.partitions': '1',
  'offsets.topic.replication.factor': '3',
  'metadata.log.max.record.bytes.between.snapshots': '8192',
}

export interface Machine {
  readonly name: string
  readonly role: Role
  readonly nodeId: number
  state: 'down' | 'starting' | 'up'
  isPaused: boolean
  /** In this life: what it wrote may be missing although its process alone ends. */
  hasDiskFailed: boolean
  /** Of the present or last process. */
  env: SimulatedEnv
  life: number
  node: RunningNode | null
}

export class Machines {
  readonly world: SimulatedWorld
  readonly all: readonly Machine[]
  /** Carries out `end`, which is about to end the process, and may look at the machine before and after. */
  aroundEnd: (machine: Machine, cause: EndCause, end: () => void) => void = (_machine, _cause, end) => end()
  readonly #controllerIds: readonly number[]

  constructor(shape: ClusterShape) {
    const { brokers, voters, ...world } = shape
    this.world = new SimulatedWorld({ ...world, startMs: START_MS })
    this.#controllerIds = Array.from({ length: voters }, (_, index) => FIRST_CONTROLLER + index)
    const brokerIds = Array.from({ length: brokers }, (_, index) => 1 + index)
    this.all = [...this.#controllerIds.map((id) => this.#machine('controller', id)), ...brokerIds.map((id) => this.#machine('broker', id))]
  }

  get brokers(): readonly Machine[] {
    return this.all.filter(({ role }) => role === 'broker')
  }

  get controllers(): readonly Machine[] {
    return this.all.filter(({ role }) => role === 'controller')
  }

  get bootstrapServers(): string {
    return this.brokers.map(({ nodeId }) => `127.0.0.1:${CLIENT_PORT + nodeId}`).join(',')
  }

  byNode(nodeId: number): Machine | undefined {
    return this.all.find((machine) => machine.nodeId === nodeId)
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.world.loop.schedule(null, ms, resolve))
  }

  /** Runs `act` in virtual time, whatever has become of its processes by then. */
  later(ms: number, act: () => void): void {
    this.world.loop.schedule(null, ms, act)
  }

  async startAll(): Promise<void> {
    for (const machine of this.all) this.start(machine)
    while (!this.all.every(({ state }) => state === 'up')) await this.sleep(20)
  }

  /** Nothing when it runs already. */
  start(machine: Machine): void {
    if (machine.state !== 'down') return
    machine.state = 'starting'
    const { life, env } = machine
    const isThisLife = (): boolean => machine.life === life
    const failed = (): void => {
      if (!isThisLife()) return
      this.end(machine, 'kill')
      this.later(RESTART_MS, () => this.start(machine))
    }
    const create = machine.role === 'broker' ? createBroker : createController
    create(env, this.#config(machine)).then((node) => {
      if (!isThisLife()) return
      machine.node = node
      void node.failed.then(failed)
      node.ready.then(() => {
        if (isThisLife()) machine.state = 'up'
      }, failed)
    }, failed)
  }

  end(machine: Machine, cause: EndCause): void {
    this.aroundEnd(machine, cause, () => machine.env.end(cause === 'powerLoss' ? 'powerLoss' : 'kill'))
    machine.env = this.world.start(machine.name)
    machine.life++
    machine.node = null
    machine.state = 'down'
    machine.isPaused = false
    machine.hasDiskFailed = false
  }

  /** As a person would: asks it to stop, and kills it when that takes longer than `patienceMs`. */
  async stop(machine: Machine, patienceMs: number): Promise<void> {
    const { life, node } = machine
    const stopped = node?.stop().then(() => 'cleanStop' as const) ?? Promise.resolve('kill' as const)
    const cause = await Promise.race([stopped, this.sleep(patienceMs).then(() => 'kill' as const)])
    if (machine.life === life) this.end(machine, cause)
  }

  pause(machine: Machine): void {
    machine.env.pause()
    machine.isPaused = true
  }

  resume(machine: Machine): void {
    machine.env.resume()
    machine.isPaused = false
  }

  #machine(role: Role, nodeId: number): Machine {
    const name = `${role}-${nodeId}`
    return { name, role, nodeId, state: 'down', isPaused: false, hasDiskFailed: false, env: this.world.start(name), life: 1, node: null }
  }

  #config({ name, role, nodeId }: Machine): NodeConfig {
    const internal = { name: 'INTERNAL', host: '127.0.0.1', port: INTERNAL_PORT + nodeId }
    const client = { name: 'CLIENT', host: '127.0.0.1', port: CLIENT_PORT + nodeId }
    return {
      role,
      nodeId,
      clusterId: CLUSTER_ID,
      dataDirectory: `/${name}`,
      listeners: role === 'broker' ? [client, internal] : [internal],
      internalSecret: SECRET,
      controllers: this.#controllerIds.map((id) => ({ id, host: '127.0.0.1', port: INTERNAL_PORT + id })),
      voters: this.#controllerIds.map((id) => ({
        id,
        directoryId: Buffer.from(`directory of ${id}`.slice(0, 16).padEnd(16)).toString('base64url'),
      })),
      logLevel: 'info',
      configOverrides: quickSettings,
    }
  }
}
