/**
 * Apache Kafka itself, for comparing with: its jars from Maven Central, fetched once into the temporary folder. Needs Java 17 and
 * Maven; where they or the network are missing, the reason is returned, for whoever skips to say it.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export const KAFKA_VERSION = '4.3.1'
const JAVA_MAJOR_MIN = 17
const FETCH_DEADLINE_MS = 180_000
const WARNINGS_TO_STDERR = `appender.err.type = Console
appender.err.name = err
appender.err.target = SYSTEM_ERR
rootLogger.level = warn
rootLogger.appenderRef.err.ref = err
`

const artifacts = [
  ['org.apache.kafka', 'kafka_2.13', KAFKA_VERSION],
  ['org.apache.kafka', 'kafka-tools', KAFKA_VERSION],
  ['org.apache.logging.log4j', 'log4j-slf4j-impl', '2.25.4'],
] as const

export type ApacheKafka =
  /** `classPath`: what `java -cp` takes. `loggingOption`: keeps it quiet. */
  { readonly classPath: string; readonly loggingOption: string } | { readonly missing: string }

export function apacheKafka(): ApacheKafka {
  const major = javaMajor()
  if (major === null) return { missing: 'no java' }
  if (major < JAVA_MAJOR_MIN) return { missing: `Java ${major}, and Kafka ${KAFKA_VERSION} needs ${JAVA_MAJOR_MIN}` }
  const folder = join(tmpdir(), `weir-apache-kafka-${KAFKA_VERSION}`)
  if (!existsSync(folder)) {
    const problem = fetchJars(folder)
    if (problem !== null) return { missing: problem }
  }
  return {
    classPath: join(folder, '*'),
    loggingOption: `-Dlog4j2.configurationFile=${join(folder, 'log4j2.properties')}`,
  }
}

function javaMajor(): number | null {
  const { error, stderr } = spawnSync('java', ['-version'], { encoding: 'utf8' })
  const version = error === undefined ? /version "(\d+)/.exec(stderr) : null
  return version === null ? null : Number(version[1])
}

/** Whole or not at all: another run may look for it at the same time. */
function fetchJars(folder: string): string | null {
  const partFolder = `${folder}-${process.pid}`
  mkdirSync(partFolder, { recursive: true })
  try {
    const dependencies = artifacts.map(
      ([group, name, version]) =>
        `<dependency><groupId>${group}</groupId><artifactId>${name}</artifactId><version>${version}</version></dependency>`,
    )
    const pom = `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>weir</groupId><artifactId>peer</artifactId><version>1</version><dependencies>${dependencies.join('')}</dependencies></project>`
    writeFileSync(join(partFolder, 'pom.xml'), pom)
    writeFileSync(join(partFolder, 'log4j2.properties'), WARNINGS_TO_STDERR)
    const { error, status, stdout } = spawnSync('mvn', ['-q', '-B', 'dependency:copy-dependencies', `-DoutputDirectory=${partFolder}`], {
      cwd: partFolder,
      encoding: 'utf8',
      timeout: FETCH_DEADLINE_MS,
    })
    if (error !== undefined) return `Maven could not run: ${error.message}`
    if (status !== 0 || !readdirSync(partFolder).some((name) => name.startsWith('kafka-tools-'))) {
      return `Maven could not fetch Kafka ${KAFKA_VERSION}: ${stdout.split('\n')[0] ?? ''}`
    }
    renameSync(partFolder, folder)
    return null
  } finally {
    rmSync(partFolder, { recursive: true, force: true })
  }
}
