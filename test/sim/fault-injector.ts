/** Brings scheduled faults upon the machines, and heals each when its time is over. */
import type { ActiveDiskFault } from '../../broker/env/simulated.ts'
import { SimulatedRandom } from '../../broker/env/sim-random.ts'
import type { Fault, FaultKind } from './fault-schedule.ts'
import type { LossBound } from './loss-bound.ts'
import type { EndCause, Machine, Machines } from './machines.ts'

const STOP_PATIENCE_MS = 3_000
const DELAY_MAX_MS = 400
const SLOW_DISK_MAX_MS = 120
const CLOCK_SKEW_MAX_MS = 6 * 60 * 60 * 1000
const FREE_BYTES_MAX = 4_096
const CONTEST_SPREAD_MS = 250
const CONTEST_DELAY_MS = 200
const CONTEST_EVERY_MS = 1_500
const VOTE_TO_CRASH_MAX_MS = 40
const VOTER_DOWN_MAX_MS = 60

export interface InjectorOptions {
  readonly seed: string
  readonly machines: Machines
  /** Everything with a network of its own. */
  readonly names: readonly string[]
  readonly bound: LossBound
  /** Lets power be lost wherever the schedule says so. */
  readonly isUnbounded: boolean
  /** Ends the consumer's process; returns what starts another in its place, or null when there is none. */
  readonly crashConsumer: (name: string) => (() => void) | null
  /** The disk of a machine fails from now on. */
  readonly onDiskFailed: (machine: Machine) => void
}

export class FaultInjector {
  readonly counts = new Map<FaultKind, number>()
  hintCount = 0
  #voterCrashesUntilMs = 0
  readonly #options: InjectorOptions
  readonly #random: SimulatedRandom

  constructor(options: InjectorOptions) {
    this.#options = options
    this.#random = new SimulatedRandom(`${options.seed}/injector`)
  }

  get firedCount(): number {
    let total = 0
    for (const count of this.counts.values()) total += count
    return total
  }

  plan(faults: readonly Fault[]): void {
    for (const fault of faults) this.#options.machines.later(fault.atMs, () => this.#inject(fault))
  }

  #inject(fault: Fault): void {
    const { machines } = this.#options
    // What is down already cannot be broken: then its peers lose their connections to one another.
    const fired: Fault = { ...fault, kind: 'resetConnections' }
    const heal = this.#begin(fault)
    const { kind } = heal === null ? fired : fault
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1)
    machines.later(fault.durationMs, heal ?? this.#breakLinks(fired))
  }

  /** What heals it, or null when there was nothing to break. */
  #begin(fault: Fault): (() => void) | null {
    const { machines } = this.#options
    if (fault.kind === 'clockSkew') return this.#skew(fault)
    if (fault.kind === 'consumerCrash') return this.#options.crashConsumer(fault.target)
    const target = machines.all.find(({ name }) => name === fault.target)
    if (target === undefined) return null
    switch (fault.kind) {
      case 'kill':
        return this.#end(target, 'kill', fault)
      case 'powerLoss':
        return this.#end(target, 'powerLoss', fault)
      case 'restart':
        return this.#restart(target)
      case 'blackout':
        return this.#blackOut(fault)
      case 'contestedElection':
        return this.#contestElection(fault)
      case 'pause':
        return this.#pause(target, fault)
      case 'falseHint':
        this.#hint(target.nodeId)
        return () => undefined
      case 'diskError':
      case 'diskSlow':
      case 'diskFull':
        return this.#breakDisk(target, fault)
      default:
        return this.#breakLinks(fault)
    }
  }

  // -------------------------------------------------------------------------------------------------------- processes

  #end(machine: Machine, wanted: EndCause, { hintAfterMs }: Fault): (() => void) | null {
    const cause = this.#mayEnd(machine, wanted) ? wanted : 'kill'
    if (machine.state === 'down' || !this.#mayEnd(machine, cause)) return null
    this.#options.machines.end(machine, cause)
    // A late one may come when the next process runs already.
    if (hintAfterMs !== null) this.#options.machines.later(hintAfterMs, () => this.#hint(machine.nodeId))
    return () => this.#options.machines.start(machine)
  }

  #mayEnd(machine: Machine, cause: EndCause): boolean {
    const { bound, isUnbounded } = this.#options
    const isClean = cause === 'kill' && !machine.hasDiskFailed
    if (isUnbounded || isClean || machine.role === 'controller' || bound.allows(machine.name, cause === 'powerLoss')) return true
    bound.heldBackCount++
    return false
  }

  #mayFail(machine: Machine): boolean {
    const { bound, isUnbounded } = this.#options
    if (isUnbounded || machine.role === 'controller' || bound.allows(machine.name, false)) return true
    bound.heldBackCount++
    return false
  }

  #restart(machine: Machine): (() => void) | null {
    if (machine.state !== 'up' || machine.isPaused) return null
    const { machines } = this.#options
    void machines.stop(machine, STOP_PATIENCE_MS)
    const { life } = machine
    return () => {
      if (machine.life === life) machines.later(STOP_PATIENCE_MS, () => machines.start(machine))
      else machines.start(machine)
    }
  }

  #pause(machine: Machine, { hintAfterMs, severity }: Fault): (() => void) | null {
    if (machine.state === 'down' || machine.isPaused) return null
    const { machines } = this.#options
    const { life } = machine
    machines.pause(machine)
    // A supervisor that mistakes it for dead.
    if (hintAfterMs !== null && severity < 0.3) machines.later(hintAfterMs, () => this.#hint(machine.nodeId))
    return () => {
      if (machine.life === life) machines.resume(machine)
    }
  }

  /** Each controller hears of it, or does not. */
  #hint(nodeId: number): void {
    for (const { node } of this.#options.machines.controllers) {
      if (this.#random.below(4) === 0) continue
      this.hintCount++
      node?.nodeEnded?.(nodeId)
    }
  }

  /**
   * The whole quorum loses power, or every process is killed, or, where nothing is bounded, everything loses power; they start
   * again one by one, in any order.
   */
  #blackOut({ severity, durationMs }: Fault): () => void {
    const { machines, isUnbounded } = this.#options
    const cause = isUnbounded || severity < 0.5 ? 'powerLoss' : 'kill'
    const struck = cause === 'powerLoss' && !isUnbounded ? machines.controllers : machines.all
    for (const machine of struck) {
      if (machine.state !== 'down' && this.#mayEnd(machine, cause)) machines.end(machine, cause)
      machines.later(durationMs * this.#random.fraction(), () => machines.start(machine))
    }
    return () => struck.forEach((machine) => machines.start(machine))
  }

  /**
   * Again and again all voters start at about the same time, over links so slow that several stand before they hear of one
   * another, and two of them never do; and whoever votes for another loses power before anyone has won.
   */
  #contestElection({ durationMs }: Fault): () => void {
    const { machines } = this.#options
    const { network, loop } = machines.world
    const names = machines.controllers.map(({ name }) => name)
    const delay = (extraMs: number): void => {
      for (const from of names) for (const to of names) if (from !== to) network.delay(from, to, extraMs)
    }
    delay(CONTEST_DELAY_MS)
    const rivals = [...names]
    rivals.splice(this.#random.below(rivals.length), rivals.length - 2)
    const [one, other] = rivals as [string, string]
    network.cut(one, other)
    network.cut(other, one)
    this.#voterCrashesUntilMs = loop.monotonicMs() + durationMs
    for (let atMs = 0; atMs < durationMs; atMs += CONTEST_EVERY_MS) machines.later(atMs, () => this.#startVoters())
    return () => {
      delay(0)
      network.heal(one, other)
      network.heal(other, one)
      machines.controllers.forEach((machine) => machines.start(machine))
    }
  }

  #startVoters(): void {
    const { machines } = this.#options
    for (const machine of machines.controllers) {
      if (machine.state !== 'down') machines.end(machine, 'powerLoss')
      machines.later(this.#random.fraction() * CONTEST_SPREAD_MS, () => machines.start(machine))
    }
  }

  /** The machine voted for another and knows of no leader yet. */
  voted(machine: Machine): void {
    const { machines } = this.#options
    if (machines.world.loop.monotonicMs() > this.#voterCrashesUntilMs) return
    const { life } = machine
    machines.later(this.#random.fraction() * VOTE_TO_CRASH_MAX_MS, () => {
      if (machine.life !== life) return
      machines.end(machine, 'powerLoss')
      machines.later(1 + this.#random.fraction() * VOTER_DOWN_MAX_MS, () => machines.start(machine))
    })
  }

  // ------------------------------------------------------------------------------------------------------------ links

  #breakLinks({ kind, target, other, durationMs, severity }: Fault): () => void {
    const { machines, names } = this.#options
    const { network } = machines.world
    if (kind === 'resetConnections') {
      const resets = 1 + Math.floor(severity * 4)
      for (let index = 0; index < resets; index++) machines.later((durationMs * index) / resets, () => this.#reset(target, other))
      return () => undefined
    }
    const peers = kind === 'isolate' || severity > 0.7 ? names.filter((name) => name !== target) : [other]
    const links = peers.flatMap(
      (peer) =>
        (kind === 'cutOneWay'
          ? [[target, peer]]
          : [
              [target, peer],
              [peer, target],
            ]) as [string, string][],
    )
    for (const [from, to] of links) {
      if (kind === 'delay') network.delay(from, to, 1 + severity * DELAY_MAX_MS)
      else network.cut(from, to)
    }
    return () => {
      for (const [from, to] of links) {
        if (kind === 'delay') network.delay(from, to, 0)
        else network.heal(from, to)
      }
    }
  }

  #reset(target: string, other: string): void {
    const { network } = this.#options.machines.world
    network.reset(target, other)
    network.reset(other, target)
  }

  // ------------------------------------------------------------------------------------------------- disks and clocks

  #breakDisk(machine: Machine, { kind, severity }: Fault): (() => void) | null {
    const { diskControl: disk } = machine.env
    if (kind === 'diskSlow') {
      disk.extraLatencyMsMax = 1 + severity * SLOW_DISK_MAX_MS
      return () => {
        disk.extraLatencyMsMax = 0
      }
    }
    let failing: ActiveDiskFault | null = null
    if (!this.#mayFail(machine)) return null
    this.#options.onDiskFailed(machine)
    if (kind === 'diskFull') {
      disk.capacityBytes = disk.usedBytes() + Math.floor(severity * FREE_BYTES_MAX)
    } else {
      const operations = severity < 0.4 ? (['write'] as const) : severity < 0.7 ? (['sync'] as const) : (['read', 'write', 'open'] as const)
      failing = disk.failNext({ code: 'EIO', operations, count: 1 + this.#random.below(6) })
    }
    return () => {
      failing?.remove()
      disk.capacityBytes = Number.MAX_SAFE_INTEGER
      // What a broken disk took offline stays so until a person starts the node again.
      const { machines } = this.#options
      if (machine.state === 'down') machines.start(machine)
      else void machines.stop(machine, STOP_PATIENCE_MS).then(() => machines.start(machine))
    }
  }

  #skew({ target, severity }: Fault): (() => void) | null {
    const { machines } = this.#options
    machines.world.setClockOffset(target, Math.round((severity - 0.5) * 2 * CLOCK_SKEW_MAX_MS))
    return () => machines.world.setClockOffset(target, 0)
  }
}
