/**
 * The trucks: 200 vehicles driving to and fro along routes of a made-up region. Deterministic: where truck n is at a time
 * follows from n and the time alone, so producer and plot agree without talking to each other, and a run can be repeated.
 */
export const truckCount = 200
/** Each truck reports once per this much of the workload's own time. */
export const reportIntervalMs = 20_000

export interface FleetBounds {
  readonly south: number
  readonly north: number
  readonly west: number
  readonly east: number
}

export const fleetBounds: FleetBounds = { south: 47.2, north: 49.6, west: 9.0, east: 13.4 }

export interface TruckState {
  readonly latitude: number
  readonly longitude: number
  /** 0 is north, clockwise. */
  readonly headingDegrees: number
  readonly speedKmh: number
  readonly status: 'driving' | 'loading'
}

interface Place {
  readonly latitude: number
  readonly longitude: number
}

interface Leg {
  readonly from: Place
  readonly to: Place
  readonly startMs: number
  readonly endMs: number
  readonly speedKmh: number
}

interface Route {
  readonly legs: readonly Leg[]
  /** There, a pause, back, a pause. */
  readonly roundTripMs: number
  readonly phaseMs: number
}

const hubCount = 24
const stopsPerRoute = 5
const pauseMs = 12 * 60_000
const kmPerDegree = 111.32

const hubs: readonly Place[] = Array.from({ length: hubCount }, (_, index) => ({
  latitude: between(fleetBounds.south + 0.1, fleetBounds.north - 0.1, unit(index, 1)),
  longitude: between(fleetBounds.west + 0.1, fleetBounds.east - 0.1, unit(index, 2)),
}))

const routes: readonly Route[] = Array.from({ length: truckCount }, (_, truck) => routeOf(truck))

export function truckKey(truck: number): string {
  return `truck_${truck + 1}`
}

/** The truck's number for a key; `null` for keys of no truck. */
export function truckOfKey(key: string): number | null {
  const match = /^truck_(\d{1,4})$/.exec(key)
  const truck = match === null ? -1 : Number(match[1]) - 1
  return truck >= 0 && truck < truckCount ? truck : null
}

/** When within the reporting interval a truck reports: evenly staggered over the fleet. */
export function reportPhaseMs(truck: number): number {
  return Math.floor((truck * reportIntervalMs) / truckCount)
}

/** Where a truck is at a moment of the workload's time. */
export function truckAt(truck: number, timeMs: number): TruckState {
  const route = routes[truck % truckCount]
  const legs = route?.legs ?? []
  const last = legs.at(-1)
  const first = legs[0]
  if (route === undefined || first === undefined || last === undefined) throw new RangeError(`there is no truck ${truck}`)
  const atMs = (timeMs + route.phaseMs) % route.roundTripMs
  const oneWayMs = last.endMs
  if (atMs < oneWayMs) return onRoute(legs, atMs, false)
  if (atMs < oneWayMs + pauseMs) return standing(last.to, last)
  const backMs = atMs - oneWayMs - pauseMs
  return backMs < oneWayMs ? onRoute(legs, oneWayMs - backMs, true) : standing(first.from, first)
}

/** The record's value, as JSON text. */
export function reportOf(truck: number, timeMs: number): string {
  const state = truckAt(truck, timeMs)
  return JSON.stringify({
    truckId: truckKey(truck),
    time: new Date(timeMs).toISOString(),
    latitude: Number(state.latitude.toFixed(5)),
    longitude: Number(state.longitude.toFixed(5)),
    speedKmh: Number(state.speedKmh.toFixed(1)),
    headingDegrees: Math.round(state.headingDegrees),
    status: state.status,
  })
}

function routeOf(truck: number): Route {
  const legs: Leg[] = []
  let startMs = 0
  let from = hub(truck, 0)
  for (let stop = 1; stop < stopsPerRoute; stop += 1) {
    const to = hub(truck, stop)
    const speedKmh = between(58, 86, unit(truck, 40 + stop))
    const endMs = startMs + Math.max(60_000, (distanceKm(from, to) / speedKmh) * 3_600_000)
    legs.push({ from, to, startMs, endMs, speedKmh })
    startMs = endMs
    from = to
  }
  const roundTripMs = 2 * (startMs + pauseMs)
  return { legs, roundTripMs, phaseMs: Math.floor(unit(truck, 9) * roundTripMs) }
}

/** A hub, moved a little for each truck so that trucks on one road do not cover each other. */
function hub(truck: number, stop: number): Place {
  const base = hubs[Math.floor(unit(truck, 10 + stop) * hubCount)] ?? { latitude: fleetBounds.south, longitude: fleetBounds.west }
  return {
    latitude: base.latitude + (unit(truck, 20 + stop) - 0.5) * 0.12,
    longitude: base.longitude + (unit(truck, 30 + stop) - 0.5) * 0.18,
  }
}

function onRoute(legs: readonly Leg[], atMs: number, isReturning: boolean): TruckState {
  const leg = legs.find((candidate) => atMs < candidate.endMs) ?? legs.at(-1)
  if (leg === undefined) throw new RangeError('a route without legs')
  const done = (atMs - leg.startMs) / (leg.endMs - leg.startMs)
  const heading = headingDegrees(leg.from, leg.to)
  // Traffic: the speed shown sways about the leg's own, the position does not.
  const sway = 1 + 0.08 * Math.sin(atMs / 47_000 + leg.speedKmh)
  return {
    latitude: between(leg.from.latitude, leg.to.latitude, done),
    longitude: between(leg.from.longitude, leg.to.longitude, done),
    headingDegrees: isReturning ? (heading + 180) % 360 : heading,
    speedKmh: leg.speedKmh * sway,
    status: 'driving',
  }
}

function standing(place: Place, leg: Leg): TruckState {
  return { ...place, headingDegrees: headingDegrees(leg.from, leg.to), speedKmh: 0, status: 'loading' }
}

function headingDegrees(from: Place, to: Place): number {
  const east = (to.longitude - from.longitude) * Math.cos((from.latitude * Math.PI) / 180)
  return ((Math.atan2(east, to.latitude - from.latitude) * 180) / Math.PI + 360) % 360
}

function distanceKm(from: Place, to: Place): number {
  const north = (to.latitude - from.latitude) * kmPerDegree
  const east = (to.longitude - from.longitude) * kmPerDegree * Math.cos((from.latitude * Math.PI) / 180)
  return Math.hypot(north, east)
}

function between(low: number, high: number, share: number): number {
  return low + (high - low) * share
}

/** A number in [0, 1) that follows from its two arguments, evenly spread. */
function unit(a: number, b: number): number {
  let hash = Math.imul(a + 1, 0x9e3779b1) ^ Math.imul(b + 1, 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 16), 0x7feb352d)
  hash = Math.imul(hash ^ (hash >>> 15), 0x846ca68b)
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32
}
