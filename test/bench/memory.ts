import { readFileSync } from 'node:fs'
import type { BenchTarget, ClusterProcess } from './cluster.ts'
import type { Chapter, Figure } from './figure.ts'
import { lasting, runLoad } from './load.ts'

const IDLE_BUDGET = { relation: '<', value: 350 } as const

/** Proportional set size: shared pages count once over all who share them, so the sum is what the cluster really takes. */
export async function memoryChapter(target: BenchTarget, loadMs: number): Promise<Chapter> {
  const idle = sizesOf(target)
  await target.createTopic('memory', 6)
  const load = { topic: 'memory', partitionCount: 6, acks: -1, recordBytes: 1024, batchRecords: 100, inflight: 8 } as const
  await runLoad(target.client, load, lasting(loadMs))
  const loaded = sizesOf(target)
  return {
    title: 'Memory (PSS)',
    figures: [
      ...rows('idle', idle),
      { name: 'idle, brokers and controllers together', value: nodesTogether(idle), unit: 'MB', budget: IDLE_BUDGET },
      { name: 'idle, all processes', value: sum(idle), unit: 'MB' },
      ...rows('after load', loaded),
      { name: 'after load, brokers and controllers together', value: nodesTogether(loaded), unit: 'MB' },
    ],
  }
}

export function nodeMegabytes(target: BenchTarget): number {
  return nodesTogether(sizesOf(target))
}

interface ProcessSize extends ClusterProcess {
  readonly megabytes: number
}

function sizesOf(target: BenchTarget): ProcessSize[] {
  return target.processes().map((found) => ({ ...found, megabytes: pssMegabytes(found.pid) }))
}

function pssMegabytes(pid: number): number {
  const [, kilobytes] = /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')) ?? []
  return Number(kilobytes) / 1000
}

const sum = (all: readonly ProcessSize[]): number => all.reduce((total, { megabytes }) => total + megabytes, 0)
const nodesTogether = (all: readonly ProcessSize[]): number => sum(all.filter(({ nodeId }) => nodeId !== null))

function rows(when: string, all: readonly ProcessSize[]): Figure[] {
  return all.map(({ role, nodeId, megabytes }) => ({
    name: `${when}, ${nodeId === null ? role : `${role} ${nodeId}`}`,
    value: megabytes,
    unit: 'MB',
  }))
}
