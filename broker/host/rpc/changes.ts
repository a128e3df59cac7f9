/** Tells listeners that something changed, not what: they read the state themselves, the latest there is. */
export interface Changes {
  emit(): void
  /** Returns how to stop listening. */
  on(listener: () => void): () => void
  readonly listenerCount: number
}

export function createChanges(): Changes {
  const listeners = new Set<() => void>()
  return {
    emit() {
      for (const listener of [...listeners]) listener()
    },
    on(listener) {
      // A wrapper of its own, so that one function listening twice is two listeners.
      const own = (): void => listener()
      listeners.add(own)
      return () => void listeners.delete(own)
    },
    get listenerCount() {
      return listeners.size
    },
  }
}

/** Emits whenever one of `sources` does. */
export function anyOf(...sources: readonly Pick<Changes, 'on'>[]): Pick<Changes, 'on'> {
  return {
    on(listener) {
      const stops = sources.map((source) => source.on(listener))
      return () => {
        for (const stop of stops) stop()
      }
    },
  }
}
