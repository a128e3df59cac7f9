/**
 * The bound under which acknowledged records must survive (KIP-966): fewer than min.insync.replicas brokers end uncleanly before
 * they are back in sync, or none of them loses what it had not synced. A broker cannot tell a kill from a power loss when it
 * starts again, so each takes it out of every in-sync set; if kills have taken the others out, the one that really lost
 * something may be the last that counts as complete.
 *
 * A broker is in doubt from its unclean end until each of its replicas has been seen in sync again. Every broker hosts a
 * replica of almost everything, so brokers are counted, not replicas.
 */
interface Doubt {
  readonly nextLife: number
  readonly lostPower: boolean
  readonly missing: Set<string>
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

  /** Whether the bound still holds when `machine` ends so now. */
  allows(machine: string, losesPower: boolean): boolean {
    const others = [...this.#doubts].filter(([name]) => name !== machine).map(([, doubt]) => doubt)
    const anyLosesPower = losesPower || this.#doubts.get(machine)?.lostPower === true || others.some(({ lostPower }) => lostPower)
    return !anyLosesPower || others.length + 1 < this.#minInsyncReplicas
  }

  /** `hosted` are the logs on it. */
  ended(machine: string, { nextLife, lostPower, hosted }: { nextLife: number; lostPower: boolean; hosted: Iterable<string> }): void {
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
