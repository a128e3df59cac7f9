/** Which faults a lifetime suffers, and when: drawn from its seed alone, before it starts. Pure. */
import { SimulatedRandom } from '../../broker/env/sim-random.ts'

export const FAULT_KINDS = [
  'kill',
  'powerLoss',
  'pause',
  'restart',
  'blackout',
  'contestedElection',
  'cutOneWay',
  'cutTwoWay',
  'isolate',
  'resetConnections',
  'delay',
  'diskError',
  'diskSlow',
  'diskFull',
  'clockSkew',
  'falseHint',
  'consumerCrash',
] as const

export type FaultKind = (typeof FAULT_KINDS)[number]

export interface Fault {
  readonly kind: FaultKind
  readonly atMs: number
  /** Until it is healed: the process starts again, the link or the disk works. */
  readonly durationMs: number
  readonly target: string
  /** The other end of a cut, a delay or a reset. */
  readonly other: string
  /** When the supervisor tells the controllers that the process ended; null: never. */
  readonly hintAfterMs: number | null
  /** How bad it is, in the kind's own measure, in [0, 1). */
  readonly severity: number
}

export interface ScheduleOptions {
  readonly seed: string
  readonly brokers: readonly string[]
  readonly controllers: readonly string[]
  readonly clients: readonly string[]
  readonly consumers: readonly string[]
  /** Faults begin and end within [startMs, endMs]. */
  readonly startMs: number
  readonly endMs: number
}

export const FAULTS_MIN = 4
const FAULTS_MAX = 12
const DURATION_MIN_MS = 50
const DURATION_MAX_MS = 9_000

/** How often a kind is drawn, against the others. */
const weights: Readonly<Record<FaultKind, number>> = {
  kill: 6,
  powerLoss: 5,
  pause: 4,
  restart: 2,
  blackout: 2,
  contestedElection: 4,
  cutOneWay: 3,
  cutTwoWay: 3,
  isolate: 3,
  resetConnections: 3,
  delay: 3,
  diskError: 2,
  diskSlow: 2,
  diskFull: 1,
  clockSkew: 1,
  falseHint: 2,
  consumerCrash: 2,
}

export function scheduleFaults(options: ScheduleOptions): readonly Fault[] {
  const random = new SimulatedRandom(`${options.seed}/faults`)
  const count = FAULTS_MIN + random.below(FAULTS_MAX - FAULTS_MIN + 1)
  const bag = FAULT_KINDS.flatMap((kind) => Array.from({ length: weights[kind] }, () => kind))
  const faults = Array.from({ length: count }, () => drawFault(random, pick(random, bag), options))
  return faults.toSorted((one, next) => one.atMs - next.atMs)
}

function drawFault(random: SimulatedRandom, kind: FaultKind, options: ScheduleOptions): Fault {
  const { brokers, controllers, clients, consumers, startMs, endMs } = options
  const nodes = [...brokers, ...controllers]
  const target = pick(random, kind === 'consumerCrash' ? consumers : kind === 'clockSkew' ? [...nodes, ...clients] : nodes)
  const peers = [...brokers, ...controllers, ...clients].filter((name) => name !== target)
  const atMs = startMs + random.fraction() * (endMs - startMs - DURATION_MIN_MS)
  const longestMs = Math.min(DURATION_MAX_MS, endMs - atMs)
  // Short ones as often as long ones.
  const durationMs = Math.max(DURATION_MIN_MS, longestMs * random.fraction() ** 1.5)
  return { kind, atMs, durationMs, target, other: pick(random, peers), hintAfterMs: drawHint(random), severity: random.fraction() }
}

/** On time, late, or missing. */
function drawHint(random: SimulatedRandom): number | null {
  const fate = random.below(3)
  if (fate === 0) return null
  return fate === 1 ? random.fraction() * 50 : random.fraction() * 5_000
}

function pick<T>(random: SimulatedRandom, values: readonly T[]): T {
  return values[random.below(values.length)]!
}
