/** Where the trucks are, and where `location-dashboard` believes they are from what it has read so far. */
import type { TruckPosition } from '../../contract/sample.ts'
import { truckAt, truckCount, truckKey, truckOfKey } from './fleet.ts'

interface ReadPosition {
  readonly latitude: number
  readonly longitude: number
  readonly timeMs: number
}

export class ReadPositions {
  private readonly read: (ReadPosition | null)[] = new Array<null>(truckCount).fill(null)

  /** Takes what the dashboard read. Records of others in the topic are passed over. */
  take(key: Buffer | null, value: Buffer | null): void {
    const truck = key === null ? null : truckOfKey(key.toString('utf8'))
    if (truck === null || value === null) return
    const position = parse(value)
    if (position !== null) this.read[truck] = position
  }

  /** All trucks at a moment of the workload's time. */
  at(workloadMs: number): readonly TruckPosition[] {
    return this.read.map((read, truck) => {
      const truth = truckAt(truck, workloadMs)
      return {
        truckId: truckKey(truck),
        latitude: truth.latitude,
        longitude: truth.longitude,
        headingDegrees: truth.headingDegrees,
        readLatitude: read?.latitude ?? null,
        readLongitude: read?.longitude ?? null,
        readAgeMs: read === null ? null : Math.max(0, Math.round(workloadMs - read.timeMs)),
      }
    })
  }
}

function parse(value: Buffer): ReadPosition | null {
  try {
    const report = JSON.parse(value.toString('utf8')) as { latitude?: unknown; longitude?: unknown; time?: unknown }
    const timeMs = typeof report.time === 'string' ? Date.parse(report.time) : Number.NaN
    if (typeof report.latitude !== 'number' || typeof report.longitude !== 'number' || Number.isNaN(timeMs)) return null
    return { latitude: report.latitude, longitude: report.longitude, timeMs }
  } catch {
    // Anybody may write to the topic; what is no report moves no truck.
    return null
  }
}
