/** The sample workload's runs: at most one per cluster. */
import {
  sampleGroups,
  sampleTopic,
  type SampleGroup,
  type SampleSpeed,
  type SampleState,
  type TruckPositions,
} from '../../contract/sample.ts'
import type { Env } from '../../env/types.ts'
import type { CreateClient } from '../client-factory.ts'
import type { ClusterSession } from '../clusters/session.ts'
import { HostError } from '../problem.ts'
import { createChanges, type Changes } from '../rpc/changes.ts'
import { truckCount } from './fleet.ts'
import { SampleRun } from './run.ts'

export interface SampleManager {
  /** Rejects with `SAMPLE_STATE_CONFLICT` when it runs already. */
  start(session: ClusterSession, speed: SampleSpeed): SampleState
  stop(clusterId: string): Promise<SampleState>
  setSpeed(clusterId: string, speed: SampleSpeed): SampleState
  setPace(clusterId: string, groupId: SampleGroup, recordsPerSecondMax: number | null): SampleState
  state(clusterId: string): SampleState
  /** `null` while nothing runs. */
  positions(clusterId: string): TruckPositions | null
  /** Of any run. */
  readonly changes: Changes
  close(): Promise<void>
}

export function createSampleManager(env: Env, createClient: CreateClient): SampleManager {
  const runs = new Map<string, { readonly run: SampleRun; readonly session: ClusterSession }>()
  const changes = createChanges()

  function running(clusterId: string): SampleRun {
    const run = runs.get(clusterId)?.run
    if (run !== undefined && !run.isOver) return run
    throw new HostError('SAMPLE_STATE_CONFLICT', 'The sample workload is not running.', { subject: clusterId, advice: 'Start it first.' })
  }

  /** Lag as the brokers have it: a consumer that does not read cannot know how far it is behind. */
  function stateOf(clusterId: string): SampleState {
    const entry = runs.get(clusterId)
    if (entry === undefined) return stopped()
    const state = entry.run.state()
    const consumers = state.consumers.map((consumer) => ({
      ...consumer,
      lag: entry.session.knowledge.groups.get(consumer.groupId)?.topicLags.get(sampleTopic) ?? null,
    }))
    return { ...state, consumers }
  }

  return {
    start(session, speed) {
      const present = runs.get(session.id)?.run
      if (present !== undefined && !present.isOver) {
        throw new HostError('SAMPLE_STATE_CONFLICT', `The sample workload is running on ${session.name} already.`, {
          subject: session.name,
        })
      }
      const run = new SampleRun(env, (clientId) => createClient(session.bootstrapServers, clientId), speed)
      run.changes.on(() => changes.emit())
      runs.set(session.id, { run, session })
      changes.emit()
      return stateOf(session.id)
    },
    async stop(clusterId) {
      await runs.get(clusterId)?.run.stop()
      return stateOf(clusterId)
    },
    setSpeed(clusterId, speed) {
      const run = running(clusterId)
      run.setSpeed(speed)
      return stateOf(clusterId)
    },
    setPace(clusterId, groupId, recordsPerSecondMax) {
      const run = running(clusterId)
      run.setPace(groupId, recordsPerSecondMax)
      return stateOf(clusterId)
    },
    state: stateOf,
    positions(clusterId) {
      const run = runs.get(clusterId)?.run
      return run === undefined || run.isOver ? null : run.truckPositions()
    },
    changes,
    async close() {
      await Promise.all([...runs.values()].map(({ run }) => run.stop()))
    },
  }
}

function stopped(): SampleState {
  return {
    status: 'stopped',
    speed: 1,
    truckCount,
    producedCount: 0,
    producedPerSecond: 0,
    backfill: null,
    consumers: sampleGroups.map((groupId) => ({
      groupId,
      recordsPerSecondMax: null,
      consumedCount: 0,
      consumedPerSecond: 0,
      lag: null,
      problem: null,
    })),
    problem: null,
  }
}
