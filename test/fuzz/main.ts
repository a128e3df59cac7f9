/**
 * All fuzzing: `npm run fuzz [-- --scale 0.05] [--seed 7]`. At scale 1: a million frames through the decoders, 20,000 over TCP against a
 * broker of a cluster made for it, and 2,000 damaged data folders. Each part says how to repeat what it found.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startWeir } from '../support/weir-process.ts'

const full = { frames: 1_000_000, connections: 20_000, folders: 2_000 } as const
const { values } = parseArgs({ options: { scale: { type: 'string', default: '1' }, seed: { type: 'string', default: '1' } } })
const scale = Number(values.scale)
if (!(scale > 0)) throw new Error(`--scale is a number above 0, not ${values.scale}`)
const scaled = (count: number): string => String(Math.max(1, Math.round(count * scale)))

let failures = 0

async function part(script: string, parameters: readonly string[]): Promise<void> {
  const child = spawn(process.execPath, [join(import.meta.dirname, script), ...parameters], { stdio: 'inherit' })
  const [code] = (await once(child, 'exit')) as [number | null]
  if (code !== 0) failures += 1
  console.log(`${script}: ${code === 0 ? 'passed' : 'FAILED'}`)
}

await part('decoder.ts', ['--frames', scaled(full.frames), '--seed', values.seed])
await part('segments.ts', [scaled(full.folders), values.seed])

const weir = await startWeir(['--ephemeral', '--brokers', '1'])
try {
  const [broker] = weir.brokers
  if (broker === undefined) throw new Error('the cluster has no broker')
  const target = ['--port', String(broker.port), '--pid', String(broker.pid)]
  await part('tcp.ts', [...target, '--frames', scaled(full.connections), '--seed', values.seed])
} finally {
  await weir.stop()
}
process.exitCode = failures === 0 ? 0 : 1
