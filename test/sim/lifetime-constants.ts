/** What every lifetime has in common: the least that it must be, and the names in it. */
export const TOPIC = 'orders'
export const GROUP = 'readers'
export const PARTITIONS = 2
export const MIN_INSYNC_REPLICAS = 2
export const LIFETIME_MS = 30_000
export const ACKNOWLEDGED_MIN = 200
/** The wall clock when a world begins. */
export const START_MS = Date.UTC(2026, 0, 1)
