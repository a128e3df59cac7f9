/**
 * The bound on unsynced losses under which acknowledged records must survive: fewer than min.insync.replicas replicas of a
 * partition may lose an unsynced suffix before they are back in its in-sync set. The simulator counts brokers that lost power
 * and have not been seen back in the in-sync set of everything they host; every replica on such a broker is suspect.
 */
export class LossBound {
  readonly #minInsyncReplicas: number
  /** By machine: logs that have been seen with this broker in sync since, or null while it has not even started again. */
  readonly #suspects = new Map<string, { readonly life: number; readonly missing: Set<string> }>()
  /** Power losses that took something acknowledged from a replica, one short of what the bound forbids. */
  closeCallCount = 0
  /** Power losses that would have broken the bound, and were made kills. */
  heldBackCount = 0

  constructor(minInsyncReplicas: number) {
    this.#minInsyncReplicas = minInsyncReplicas
  }

  /** Whether power may be lost at `machine` now. */
  allows(machine: string): boolean {
    return new Set([...this.#suspects.keys(), machine]).size < this.#minInsyncReplicas
  }

  /** Returns whether the bound still holds. */
  powerLost(machine: string, nextLife: number, hosted: Iterable<string>): boolean {
    this.#suspects.set(machine, { life: nextLife, missing: new Set(hosted) })
    return this.#suspects.size < this.#minInsyncReplicas
  }

  /** The replica of `log` on `machine`, in this life, knows itself in sync. */
  inSync(machine: string, life: number, log: string): void {
    const suspect = this.#suspects.get(machine)
    if (suspect === undefined || life < suspect.life) return
    suspect.missing.delete(log)
    if (suspect.missing.size === 0) this.#suspects.delete(machine)
  }
}
