/**
 * The sample workload: 200 trucks write their position to `trucks_gps`, and two groups read it. Slowing a group makes lag
 * appear; the dot plot shows where trucks are and where `location-dashboard` believes they are.
 */
import { type } from '@orpc/contract'
import * as v from 'valibot'
import { procedure } from './base.ts'
import { clusterId, ofCluster } from './common.ts'
import type { Problem } from './errors.ts'
import { streamOf } from './stream.ts'

export const sampleTopic = 'trucks_gps'
export const sampleGroups = ['location-dashboard', 'notification-service'] as const
export type SampleGroup = (typeof sampleGroups)[number]
/** How much faster than life the trucks drive and report. */
export const sampleSpeeds = [1, 10, 100] as const
export type SampleSpeed = (typeof sampleSpeeds)[number]

export interface SampleConsumer {
  readonly groupId: SampleGroup
  /** What it is held back to; `null`: as fast as it can. */
  readonly recordsPerSecondMax: number | null
  readonly consumedCount: number
  readonly consumedPerSecond: number
  /** Records behind; `null` until known. */
  readonly lag: number | null
  /** What is wrong with it, as a sentence. */
  readonly problem: string | null
}

export interface SampleState {
  readonly status: 'stopped' | 'starting' | 'backfilling' | 'running' | 'stopping' | 'failed'
  readonly speed: SampleSpeed
  readonly truckCount: number
  readonly producedCount: number
  readonly producedPerSecond: number
  /** Records of the past hour written so far, while backfilling. */
  readonly backfill: { readonly writtenCount: number; readonly totalCount: number } | null
  readonly consumers: readonly SampleConsumer[]
  readonly problem: Problem | null
}

/** `null` read fields: `location-dashboard` has not read a position of this truck yet. */
export interface TruckPosition {
  /** The record key, as `truck_42`. */
  readonly truckId: string
  /** Degrees. */
  readonly latitude: number
  readonly longitude: number
  /** 0 is north, clockwise. */
  readonly headingDegrees: number
  readonly readLatitude: number | null
  readonly readLongitude: number | null
  /** How old what was read is: truth minus read, in the workload's own time. */
  readonly readAgeMs: number | null
}

export interface TruckPositions {
  readonly asOfMs: number
  /** Fixed for a run: what the plot has to show. */
  readonly bounds: { readonly south: number; readonly north: number; readonly west: number; readonly east: number }
  /** By truck number, always all of them. */
  readonly trucks: readonly TruckPosition[]
}

const recordsPerSecond = v.nullable(v.pipe(v.number(), v.minValue(0), v.maxValue(100_000)))

export const sampleContract = {
  /** Creates the topic when it is not there, backfills an hour, and starts. Resolves at once; see `watch`. */
  start: procedure.input(v.object({ clusterId, speed: v.optional(v.picklist(sampleSpeeds), 1) })).output(type<SampleState>()),
  /** Resolves when it has stopped. The topic and the groups' offsets stay. */
  stop: procedure.input(ofCluster).output(type<SampleState>()),
  setSpeed: procedure.input(v.object({ clusterId, speed: v.picklist(sampleSpeeds) })).output(type<SampleState>()),
  /** 0 stops it from reading while it stays a member; `null` lets it run free. */
  setConsumerPace: procedure
    .input(v.object({ clusterId, groupId: v.picklist(sampleGroups), recordsPerSecondMax: recordsPerSecond }))
    .output(type<SampleState>()),
  /** At most twice a second. */
  watch: procedure.input(ofCluster).output(streamOf<SampleState>()),
  /** At most four times a second while running; nothing while stopped. */
  positions: procedure.input(ofCluster).output(streamOf<TruckPositions>()),
}
