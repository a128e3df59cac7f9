/**
 * When the first node of the cluster saw each epoch of a log, and what had been committed by then. A leader may learn late that
 * it was elected, after others have been: it must have what was committed before its epoch was known to anyone, no more.
 */
interface Sighting {
  readonly epoch: number
  readonly committedOffset: number
}

export class EpochSightings {
  /** By log; epochs ascend. */
  readonly #sightings = new Map<string, Sighting[]>()

  /** Notes that `epoch` is known, `committedOffset` being the end of what is committed now; returns what that was at the first sight. */
  seen(log: string, epoch: number, committedOffset: number): number {
    let sightings = this.#sightings.get(log)
    if (sightings === undefined) {
      sightings = []
      this.#sightings.set(log, sightings)
    }
    const first = sightings.find((sighting) => sighting.epoch >= epoch)
    if (first !== undefined) return first.committedOffset
    sightings.push({ epoch, committedOffset })
    return committedOffset
  }
}
