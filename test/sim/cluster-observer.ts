/** Turns what the watch tells of nodes into checks of the invariants that hold at every step. */
import type { PartitionState } from '../../broker/cluster/partition-state.ts'
import type { DiskPartitionLog } from '../../broker/log/partition-log.ts'
import type { Partition } from '../../broker/node/partition.ts'
import type { QuorumState } from '../../broker/quorum/types.ts'
import { readBatches, startPosition } from './disk-batches.ts'
import { logName, type CommittedContent, type WatchedLog } from './committed-content.ts'
import type { Leaders } from './leaders.ts'
import type { LossBound } from './loss-bound.ts'
import type { Machine, Machines } from './machines.ts'
import type { Trace } from './trace.ts'
import type { Violations } from './violation.ts'
import type { Observer } from './watch.ts'

export interface ClusterObserverOptions {
  readonly machines: Machines
  readonly violations: Violations
  readonly content: CommittedContent
  readonly leaders: Leaders
  readonly bound: LossBound
  readonly trace: Trace
}

export class ClusterObserver implements Observer {
  readonly #options: ClusterObserverOptions
  readonly #machinesByName: ReadonlyMap<string, Machine>

  constructor(options: ClusterObserverOptions) {
    this.#options = options
    this.#machinesByName = new Map(options.machines.all.map((machine) => [machine.name, machine]))
  }

  quorumChanged(directory: string, state: QuorumState, endOffset: number): void {
    const machine = this.#machineOf(directory)
    this.#options.trace.step(`${machine.name} ${state.role.name}`, state.epoch)
    if (state.role.name !== 'leader') return
    this.#options.leaders.leadsQuorum(machine.name, state.epoch)
    this.#options.content.leads(watched(machine, directory), endOffset)
  }

  metadataApplied(partition: Partition, state: PartitionState): void {
    const { leaders, content, bound } = this.#options
    const { log } = partition
    const machine = this.#machineOf(log.directory)
    if (state.isr.includes(machine.nodeId)) bound.inSync(machine.name, machine.life, logName(log.directory))
    if (!partition.isLeader) return
    const isNews = leaders.leadsPartition(machine.name, logName(log.directory), partition.leaderEpoch)
    if (isNews) content.leads(watched(machine, log.directory), log.logEndOffset)
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

  /** The folders of the replicas on the machine's disk. */
  hostedBy(machine: Machine): readonly string[] {
    return this.#logsOf(machine).map(logName)
  }

  /** Sees whether something acknowledged went with the power. */
  powerLost(machine: Machine, losePower: () => void, isBounded: boolean): void {
    const { content, bound, violations } = this.#options
    if (!isBounded) violations.beyondBound()
    const endsOf = (): readonly number[] =>
      this.#logsOf(machine).map((directory) => Math.min(content.endOffset(directory), storedEnd(machine, directory)))
    const before = endsOf()
    losePower()
    for (const directory of this.#logsOf(machine)) content.logCut({ machine: machine.name, directory })
    const after = endsOf()
    if (before.some((end, index) => (after[index] ?? 0) < end)) bound.closeCallCount++
  }

  #logsOf({ name, env }: Machine): readonly string[] {
    const folders = env.diskControl.names.list(`/${name}`)
    return folders.filter((folder) => /-\d+$/.test(folder) && !folder.startsWith('__cluster_metadata')).map((folder) => `/${name}/${folder}`)
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
