import type { Env } from '../env/types.ts'
import type { Store } from '../store/store.ts'
import type { CreateClient } from './client-factory.ts'
import type { ClusterRegistry } from './clusters/registry.ts'
import type { Journal } from './journal.ts'
import type { QueryEngine } from './messages/engine-port.ts'
import type { ReassignmentManager } from './reassignments/manager.ts'
import type { Streams } from './rpc/streams.ts'
import type { SampleManager } from './sample/manager.ts'
import type { TimelineRecorder } from './timeline/timeline-recorder.ts'

/** What the domains are made of; each takes what it needs. */
export interface HostServices {
  readonly env: Env
  readonly store: Store
  readonly journal: Journal
  readonly timeline: TimelineRecorder
  readonly clusters: ClusterRegistry
  readonly streams: Streams
  readonly queries: QueryEngine
  readonly samples: SampleManager
  readonly reassignments: ReassignmentManager
  readonly createClient: CreateClient
  readonly version: string
  readonly dataDirectory: string
  readonly startedMs: number
}

/** Deadline of one administrative call to a cluster. */
export const adminDeadlineMs = 15_000
