/**
 * The bound on losses under which acknowledged records must survive: fewer than min.insync.replicas replicas of a partition
 * lose an unsynced suffix before they are in sync again. A broker whose process alone died lost nothing, and can prove it. One
 * that lost power, or whose disk failed, cannot: it is in doubt from its end until each of its replicas has been seen in sync
 * again. Every broker hosts a replica of almost everything, so brokers are counted, not replicas.
 */
interface Doubt {
  readonly nextLife: number
  readonly lostPower: boolean
  readonly missing: Set<string>
}

export interface UncleanEnd {
  readonly lostPower: boolean
  /** Of the process that comes next. */
  readonly nextLife: number
  /** The logs on it. */
  readonly hosted: Iterable<string>
}

export class LossBound {
  readonly #minInsyncReplicas: number
  readonly #doubts = new Map<string, Doubt>()
  /** Power losses that took something acknowledged from a replica: one such replica more would be one too many. */
  closeCallCount = 0
  /** Ends that would have broken the bound and were not carried out as asked. */
  heldBackCount = 0

  constructor(minInsyncReplicas: number) {
    this.#minInsyncReplicas = minInsyncReplicas
  }

  /** Whether the bound still holds when `machine` ends uncleanly now. */
  allows(machine: string, lostPower: boolean): boolean {
    const others = [...this.#doubts].filter(([name]) => name !== machine).map(([, doubt]) => doubt)
    const isAnythingLost = lostPower || this.#doubts.get(machine)?.lostPower === true || others.some((doubt) => doubt.lostPower)
    return !isAnythingLost || others.length + 1 < this.#minInsyncReplicas
  }

  ended(machine: string, { nextLife, lostPower, hosted }: UncleanEnd): void {
    const hasLost = lostPower || this.#doubts.get(machine)?.lostPower === true
    this.#doubts.set(machine, { nextLife, lostPower: hasLost, missing: new Set(hosted) })
  }

  /** The replica of `log` on `machine`, in this life, knows itself in sync. */
  inSync(machine: string, life: number, log: string): void {
    const doubt = this.#doubts.get(machine)
    if (doubt === undefined || life < doubt.nextLife) return
    doubt.missing.delete(log)
    if (doubt.missing.size === 0) this.#doubts.delete(machine)
  }
}
