/** Apache Kafka's own command-line tools, unmodified, one JVM a command. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { apacheKafka } from '../../support/apache-kafka.ts'

const HEAP_MIB = 256

export interface KafkaTools {
  /** `tool`: the class that a script of Kafka's `bin/` runs. Rejects when the tool fails, with what it said. */
  run(tool: string, ...parameters: string[]): Promise<string>
  /** What the tool said, however it ended. */
  complaint(tool: string, ...parameters: string[]): Promise<string>
}

/** Or why there are none. */
export function kafkaTools(): KafkaTools | { readonly missing: string } {
  const kafka = apacheKafka()
  if ('missing' in kafka) return kafka
  const start = async (tool: string, parameters: readonly string[]) => {
    const options = [`-Xmx${HEAP_MIB}m`, '-XX:TieredStopAtLevel=1', kafka.loggingOption, '-cp', kafka.classPath]
    const child = spawn('java', [...options, tool, ...parameters], { stdio: ['ignore', 'pipe', 'pipe'] })
    const out: Buffer[] = []
    const err: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk))
    const [code] = (await once(child, 'close')) as [number | null]
    return { code, out: Buffer.concat(out).toString(), err: Buffer.concat(err).toString() }
  }
  return {
    async run(tool, ...parameters) {
      const { code, out, err } = await start(tool, parameters)
      if (code !== 0) throw new Error(`${tool} ${parameters.join(' ')} ended with ${code}: ${out}${err}`)
      return out
    },
    async complaint(tool, ...parameters) {
      const { out, err } = await start(tool, parameters)
      return out + err
    },
  }
}
