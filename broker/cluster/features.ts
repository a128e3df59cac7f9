/**
 * The features this software knows, and at which levels. A feature is listed once what it promises is built; clients switch
 * protocols on finalized levels, so a level claimed too early breaks them.
 */
import type { FeatureRange } from './image.ts'

/** 4.3-IV0: the level whose record versions metadata-records.ts writes. */
export const METADATA_VERSION_LEVEL = 30
export const METADATA_VERSION = 'metadata.version'
/** Voters by directory id, written at format time (KIP-853). Kept in control records, not in FeatureLevel records. */
export const KRAFT_VERSION = 'kraft.version'
export const KRAFT_VERSION_LEVEL = 1

/** Replicas out of the ISR that hold every committed record may lead (KIP-966). Level 1 turns it on. */
export const ELIGIBLE_LEADER_REPLICAS = 'eligible.leader.replicas.version'

export const supportedFeatures: ReadonlyMap<string, FeatureRange> = new Map([
  [METADATA_VERSION, { min: METADATA_VERSION_LEVEL, max: METADATA_VERSION_LEVEL }],
  [KRAFT_VERSION, { min: 0, max: KRAFT_VERSION_LEVEL }],
  [ELIGIBLE_LEADER_REPLICAS, { min: 0, max: 1 }],
])

/** What a new cluster starts with, written to bootstrap.checkpoint at format time. */
export const initialFeatureLevels: ReadonlyMap<string, number> = new Map([
  [METADATA_VERSION, METADATA_VERSION_LEVEL],
  [ELIGIBLE_LEADER_REPLICAS, 1],
])
