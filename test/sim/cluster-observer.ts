/** Turns what the watch tells of nodes into checks of the invariants that hold at every step. */
import type { PartitionState } from '../../broker/cluster/partition-state.ts'
import type { DiskPartitionLog } from '../../broker/log/partition-log.ts'
import type { Partition } from '../../broker/node/partition.ts'
import type { QuorumState } from '../../broker/quorum/types.ts'
import { readBatches, startPosition } from './disk-batches.ts'
import { logName, type CommittedContent, type WatchedLog } from './committed-content.ts'
import { EpochSightings } from './epoch-sightings.ts'
import type { Leaders } from './leaders.ts'
import type { LossBound } from './loss-bound.ts'
import type { EndCause, Machine, Machines } from './machines.ts'
import type { Trace } from './trace.ts'
import type { Violations } from './violation.ts'
import type { MetadataLogEnds, Observer } from './watch.ts'

export interface ClusterObserverOptions {
  readonly machines: Machines
  readonly violations: Violations
  readonly content: CommittedContent
  readonly leaders: Leaders
  readonly bound: LossBound
  readonly trace: Trace
  readonly onVote: (machine: Machine) => void
}

export class ClusterObserver implements Observer {
  readonly #options: ClusterObserverOptions
  readonly #epochs = new EpochSightings()
  readonly #machinesByName: ReadonlyMap<string, Machine>

  constructor(options: ClusterObserverOptions) {
    this.#options = options
    this.#machinesByName = new Map(options.machines.all.map((machine) => [machine.name, machine]))
  }

  quorumChanged(log: MetadataLogEnds, state: QuorumState): void {
    const { directory } = log
    const { content, leaders } = this.#options
    const machine = this.#machineOf(directory)
    this.#options.trace.step(`${machine.name} ${state.role.name}`, state.epoch)
    const committedOffset = this.#epochs.seen(logName(directory), state.epoch, content.endOffset(directory))
    if (state.leaderId === null && state.votedFor !== null && state.votedFor.id !== machine.nodeId) this.#options.onVote(machine)
    if (state.role.name !== 'leader') return
    leaders.leadsQuorum(machine.name, state.epoch)
    content.leads(watched(machine, directory), committedOffset, log)
  }

  metadataApplied(partition: Partition, state: PartitionState): void {
    const { leaders, content, bound } = this.#options
    const { log } = partition
    const machine = this.#machineOf(log.directory)
    const name = logName(log.directory)
    const committedOffset = this.#epochs.seen(name, state.leaderEpoch, content.endOffset(log.directory))
    if (state.isr.includes(machine.nodeId)) bound.inSync(machine.name, machine.life, name)
    if (!partition.isLeader) return
    const isNews = leaders.leadsPartition(machine.name, name, partition.leaderEpoch)
    const { logStartOffset: startOffset, logEndOffset: endOffset, writtenEndOffset: writtenOffset } = log
    if (isNews) content.leads(watched(machine, log.directory), committedOffset, { startOffset, endOffset, writtenOffset })
  }

  highWatermarkSet(log: DiskPartitionLog, partition: Partition | null): void {
    const { leaders, content, trace } = this.#options
    const { directory, highWatermark } = log
    const machine = this.#machineOf(directory)
    trace.step(directory, highWatermark)
    if (partition?.isLeader === true) leaders.highWatermark(logName(directory), partition.leaderEpoch, highWatermark)
    content.reported(watched(machine, directory), highWatermark)
  }

  logCut(log: DiskPartitionLog): void {
    this.#options.content.logCut({ machine: this.#machineOf(log.directory).name, directory: log.directory })
  }

  /** Keeps count of what unclean ends may have cost, and sees whether something acknowledged went. */
  aroundEnd(machine: Machine, cause: EndCause, end: () => void): void {
    const { bound, violations } = this.#options
    const lostPower = cause === 'powerLoss'
    const isClean = cause !== 'powerLoss' && !machine.hasDiskFailed
    if (machine.role === 'controller' || isClean) return end()
    if (!bound.allows(machine.name, lostPower)) violations.beyondBound()
    bound.ended(machine.name, { nextLife: machine.life + 1, lostPower, hosted: this.#logsOf(machine).map(logName) })
    if (lostPower) this.#losePower(machine, end)
    else end()
  }

  /** What it wrote and did not sync may be gone from now on, as after an error of a real disk. */
  diskFailed(machine: Machine): void {
    machine.hasDiskFailed = true
    if (machine.role === 'controller') return
    this.#options.bound.ended(machine.name, { nextLife: machine.life + 1, lostPower: false, hosted: this.#logsOf(machine).map(logName) })
  }

  #losePower(machine: Machine, end: () => void): void {
    const { content, bound } = this.#options
    const storedEnds = (): ReadonlyMap<string, number> =>
      new Map(this.#logsOf(machine).map((log) => [log, Math.min(content.endOffset(log), storedEnd(machine, log))]))
    const before = storedEnds()
    end()
    const after = storedEnds()
    for (const directory of before.keys()) content.logCut({ machine: machine.name, directory })
    if ([...before].some(([log, endOffset]) => (after.get(log) ?? 0) < endOffset)) bound.closeCallCount++
  }

  #logsOf({ name, env }: Machine): readonly string[] {
    const folders = env.diskControl.names.list(`/${name}`)
    return folders
      .filter((folder) => /-\d+$/.test(folder) && !folder.startsWith('__cluster_metadata'))
      .map((folder) => `/${name}/${folder}`)
  }

  #machineOf(directory: string): Machine {
    const name = directory.slice(1, directory.indexOf('/', 1))
    const machine = this.#machinesByName.get(name)
    if (machine === undefined) throw new Error(`no machine has ${directory}`)
    return machine
  }
}

function storedEnd({ env }: Machine, directory: string): number {
  const at = startPosition()
  readBatches(env.diskControl, directory, at, () => true)
  return at.nextOffset
}

export function watched({ name, env }: Machine, directory: string): WatchedLog {
  return { machine: name, disk: env.diskControl, directory }
}
