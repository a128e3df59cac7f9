import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Codec, TestRecord } from './records.ts'

/** kcat (librdkafka), as installed. Rejects with its stderr when it fails. */
export async function kcat(args: readonly string[], input?: string): Promise<string> {
  const child = spawn('kcat', args, { stdio: ['pipe', 'pipe', 'pipe'] })
  const out: Buffer[] = []
  const err: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk))
  // kcat may end before it has read everything; its exit code says why.
  child.stdin.on('error', () => {})
  child.stdin.end(input ?? '')
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`kcat ${args.join(' ')} ended with ${code}: ${Buffer.concat(err).toString()}`)
  return Buffer.concat(out).toString()
}

export async function produceWithKcat(brokers: string, topic: string, records: readonly TestRecord[], codec: Codec): Promise<void> {
  const lines = records.map(({ key, value }) => `${key}\t${value}\n`).join('')
  const compression = codec === 'none' ? [] : ['-z', codec]
  await kcat(
    ['-P', '-b', brokers, '-t', topic, '-K', '\t', '-X', 'acks=all', '-X', 'queue.buffering.max.messages=200000', ...compression],
    lines,
  )
}

export async function consumeWithKcat(brokers: string, topic: string): Promise<TestRecord[]> {
  const printed = await kcat(['-C', '-b', brokers, '-t', topic, '-o', 'beginning', '-e', '-q', '-f', '%k\t%s\n'])
  return printed
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [key, value] = line.split('\t')
      return { key: key!, value: value! }
    })
}
