import { readdirSync, readFileSync } from 'node:fs'
import type { BenchCluster } from './cluster.ts'
import type { Chapter, Figure } from './figure.ts'
import { runLoad } from './load.ts'

/** Proportional set size: shared pages count once over all who share them, so the sum is what the cluster really takes. */
export async function memoryChapter({ weir, client, createTopic }: BenchCluster, loadMs: number): Promise<Chapter> {
  const idle = sizes(weir.pid)
  await createTopic('memory', 6)
  const load = { topic: 'memory', partitionCount: 6, acks: -1, recordBytes: 1024, batchRecords: 100, inflight: 8 } as const
  const endMs = performance.now() + loadMs
  await runLoad(client, load, () => performance.now() >= endMs)
  const loaded = sizes(weir.pid)
  return {
    title: 'Memory (PSS)',
    figures: [
      ...rows('idle', idle),
      {
        name: 'idle, brokers and controllers together',
        value: sum(idle.filter(({ role }) => role !== 'weir')),
        unit: 'MB',
        budget: { relation: '<', value: 350 },
      },
      { name: 'idle, all processes', value: sum(idle), unit: 'MB' },
      ...rows('after load', loaded),
      { name: 'after load, brokers and controllers together', value: sum(loaded.filter(({ role }) => role !== 'weir')), unit: 'MB' },
    ],
  }
}

interface ProcessSize {
  readonly role: string
  readonly pid: number
  readonly megabytes: number
}

function sizes(rootPid: number): ProcessSize[] {
  return [rootPid, ...descendants(rootPid)].map((pid) => ({ pid, role: roleOf(pid, rootPid), megabytes: pssMegabytes(pid) }))
}

function descendants(pid: number): number[] {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number),
  )
  return children.flatMap((child) => [child, ...descendants(child)])
}

function roleOf(pid: number, rootPid: number): string {
  if (pid === rootPid) return 'weir'
  const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
  return command.includes('watchdog') ? 'watchdog' : 'node'
}

function pssMegabytes(pid: number): number {
  const [, kilobytes] = /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')) ?? []
  return Number(kilobytes) / 1000
}

const sum = (all: readonly ProcessSize[]): number => all.reduce((total, { megabytes }) => total + megabytes, 0)

function rows(when: string, all: readonly ProcessSize[]): Figure[] {
  return all.map(({ role, pid, megabytes }) => ({ name: `${when}, ${role} ${pid}`, value: megabytes, unit: 'MB' }))
}
