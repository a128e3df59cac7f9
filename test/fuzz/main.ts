/**
 * All fuzzing by one command: frames through the decoders, damaged data folders, and a real cluster under fire over TCP.
 *
 *   npm run fuzz [-- --frames 1000000] [--folders 3000] [--tcp-frames 20000] [--seed 7]
 *
 * The seed is printed, a random one when none is given: with the same seed each part feeds the same input again, and says
 * itself how to repeat what it found. Every part runs in a process of its own, ended when it takes longer than its input
 * justifies. Exit code 1 when one of them failed.
 */
import { spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { createClient } from '../../broker/client/client.ts'
import { createRealEnv } from '../../broker/env/real.ts'
import { startWeir, type WeirProcess } from '../support/weir-process.ts'

/** What any part may take to begin and end, and per item: generous, for a machine that does other things too. */
const PART_MS = 120_000
const FRAME_MS = 1
const FOLDER_MS = 800
const TCP_FRAME_MS = 40

const count = (fallback: number) => ({ type: 'string', default: String(fallback) }) as const
const { values } = parseArgs({
  options: { frames: count(1_000_000), folders: count(3_000), 'tcp-frames': count(20_000), seed: count(randomInt(1, 2 ** 31)) },
})
const seed = numberOf('seed', values.seed)
const frames = numberOf('frames', values.frames)
const folders = numberOf('folders', values.folders)
const tcpFrames = numberOf('tcp-frames', values['tcp-frames'])

console.log(`seed ${seed}: ${frames} frames, ${folders} folders, ${tcpFrames} frames over TCP`)
const failed: string[] = []
await part('decoder.ts', ['--frames', String(frames), '--seed', String(seed)], PART_MS + frames * FRAME_MS)
await part('segments.ts', [String(folders), String(seed)], PART_MS + folders * FOLDER_MS)
if (tcpFrames > 0) await fireAtCluster()
if (failed.length > 0) {
  console.error(`Failed with seed ${seed}: ${failed.join(', ')}`)
  process.exitCode = 1
}

function numberOf(name: string, text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 0) throw new Error(`--${name} is a whole number of at least 0, not ${text}`)
  return value
}

async function part(script: string, parameters: readonly string[], deadlineMs: number): Promise<void> {
  const child = spawn(process.execPath, [join(import.meta.dirname, script), ...parameters], { stdio: 'inherit', timeout: deadlineMs })
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null]
  if (code === 0) return
  failed.push(script)
  console.error(`${script} ended with ${signal === null ? `code ${code}` : `${signal}, after at most ${deadlineMs / 1000} s`}`)
}

async function fireAtCluster(): Promise<void> {
  const weir = await startWeir(['--ephemeral', '--brokers', '3'])
  try {
    const target = weir.brokers[0]
    if (target === undefined) throw new Error('the cluster has no broker')
    const parameters = ['--port', String(target.port), '--pid', String(target.pid), '--frames', String(tcpFrames), '--seed', String(seed)]
    await part('tcp.ts', parameters, PART_MS + tcpFrames * TCP_FRAME_MS)
    await proveAlive(weir)
  } catch (error) {
    failed.push('the cluster under fire')
    console.error(error, weir.stderr())
  } finally {
    await weir.stop()
  }
}

/** Rejects unless every process that was ready still runs, and the cluster creates a topic on all its brokers. */
async function proveAlive({ brokers, bootstrapServers }: WeirProcess): Promise<void> {
  for (const { pid } of brokers) process.kill(pid, 0)
  const env = createRealEnv({ log: { write: () => undefined } })
  const client = createClient(env, { bootstrapServers: bootstrapServers.split(','), clientId: 'fuzz' })
  try {
    const [topic] = await client.admin.createTopics([{ name: 'still-alive', partitionCount: 3, replicationFactor: brokers.length }])
    if (topic === undefined || topic.error !== null) throw topic?.error ?? new Error('the creation of a topic was not answered')
    console.log(`all ${brokers.length} brokers still run and have made a topic together`)
  } finally {
    await client.close()
  }
}
