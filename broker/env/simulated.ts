/**
 * A world in memory: virtual time, disks that remember what was synced, a network that can be cut, seeded randomness.
 * Two runs with the same seed and the same calls take the same steps.
 */
import { SimulatedDisk } from './sim-disk.ts'
import { SimulatedLoop, type SimulatedProcess } from './sim-loop.ts'
import { SimulatedRandom } from './sim-random.ts'
import { SimulatedNetwork } from './sim-transport.ts'
import type { Disk, Env, LogLevel, Transport } from './types.ts'

export type { ActiveDiskFault, DiskFault, DiskOperation, SimulatedDisk } from './sim-disk.ts'

export interface SimulatedLogLine {
  readonly process: string
  readonly atMs: number
  readonly level: LogLevel
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>>
}

export interface SimulatedEnv extends Env {
  readonly name: string
  readonly world: SimulatedWorld
  readonly random: SimulatedRandom
  /** The disk behind `disk`: inject faults, look at files. Shared by all lives of this process. */
  readonly diskControl: SimulatedDisk
  /** Moves virtual time, running everything that falls due. */
  advance(ms: number): Promise<void>
  /** Moves virtual time until `operation` settles. */
  run<T>(operation: Promise<T>): Promise<T>
  /**
   * Ends this life of the process and returns the next one, on the same disk. `kill` keeps what the operating system
   * had taken; `powerLoss` drops or tears what was not synced.
   */
  restartAfter(cause: 'kill' | 'powerLoss'): SimulatedEnv
  /** Ends this life of the process; nothing of it runs any more. The next one begins with `SimulatedWorld.start`. */
  end(cause: 'kill' | 'powerLoss'): void
  /** Stops the process where it stands, as SIGSTOP does, and lets it go on. */
  pause(): void
  resume(): void
  /** Power loss now, seen by the next reader of the disk; the process goes on (for tests of the disk itself). */
  crash(): void
}

export interface SimulatedWorldOptions {
  readonly seed: number | string
  readonly startMs?: number
  /** I/O takes a random time up to this; 0 (the default) lets it complete without moving time. */
  readonly diskLatencyMsMax?: number
  readonly networkLatencyMsMax?: number
}

const logLinesMax = 10_000

export class SimulatedWorld {
  readonly loop: SimulatedLoop
  readonly network: SimulatedNetwork
  /** The newest lines, oldest first. */
  readonly logLines: SimulatedLogLine[] = []
  readonly #options: SimulatedWorldOptions
  readonly #disks = new Map<string, SimulatedDisk>()
  readonly #lives = new Map<string, number>()
  readonly #clockOffsetsMs = new Map<string, number>()

  constructor(options: SimulatedWorldOptions) {
    this.#options = options
    this.loop = new SimulatedLoop(options.startMs ?? Date.UTC(2026, 0, 1))
    this.network = new SimulatedNetwork(this.loop, this.#generator('network'), options.networkLatencyMsMax ?? 0)
  }

  /** A process of that name, with a disk of its own that outlives it. */
  start(name: string): SimulatedEnv {
    const life = (this.#lives.get(name) ?? 0) + 1
    this.#lives.set(name, life)
    const process: SimulatedProcess = { name, isAlive: true }
    const disk = this.#diskOf(name)
    return this.#env(process, disk, this.#generator(`${name}/${life}`))
  }

  /** Sets how far the wall clock of that process's machine is off. It outlives the process. */
  setClockOffset(name: string, ms: number): void {
    this.#clockOffsetsMs.set(name, ms)
  }

  #env(process: SimulatedProcess, diskControl: SimulatedDisk, random: SimulatedRandom): SimulatedEnv {
    const { loop, network } = this
    const disk: Disk = diskControl.boundTo(process)
    const transport: Transport = network.boundTo(process)
    const end = (cause: 'kill' | 'powerLoss'): void => {
      process.isAlive = false
      loop.resume(process)
      network.processEnded(process)
      diskControl.processEnded(process)
      if (cause === 'powerLoss') diskControl.losePower()
    }
    return {
      name: process.name,
      world: this,
      clock: {
        nowMs: () => loop.nowMs() + (this.#clockOffsetsMs.get(process.name) ?? 0),
        monotonicMs: () => loop.monotonicMs(),
      },
      timers: loop.timersOf(process),
      scheduler: loop.schedulerOf(process),
      random,
      disk,
      diskControl,
      transport,
      log: { write: (level, message, fields = {}) => this.#log(process.name, level, message, fields) },
      advance: (ms) => loop.advance(ms),
      run: (operation) => loop.run(operation),
      crash: () => diskControl.losePower(),
      end,
      pause: () => loop.pause(process),
      resume: () => loop.resume(process),
      restartAfter: (cause) => {
        end(cause)
        return this.start(process.name)
      },
    }
  }

  #diskOf(name: string): SimulatedDisk {
    const existing = this.#disks.get(name)
    if (existing !== undefined) return existing
    const disk = new SimulatedDisk(this.loop, this.#generator(`disk/${name}`), this.#options.diskLatencyMsMax ?? 0)
    this.#disks.set(name, disk)
    return disk
  }

  #generator(purpose: string): SimulatedRandom {
    return new SimulatedRandom(`${this.#options.seed}/${purpose}`)
  }

  #log(process: string, level: LogLevel, message: string, fields: Readonly<Record<string, unknown>>): void {
    this.logLines.push({ process, atMs: this.loop.nowMs(), level, message, fields })
    if (this.logLines.length > logLinesMax) this.logLines.shift()
  }
}

/** A world of one process. */
export function createSimulatedEnv(options: SimulatedWorldOptions): SimulatedEnv {
  return new SimulatedWorld(options).start('process')
}
