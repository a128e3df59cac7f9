/**
 * Who may import whom, as data. The dependency gate (build/dependency-cruiser.mjs) and the linter (oxlint.config.ts) are
 * derived from it; ARCHITECTURE.md explains it. A room always may import itself.
 */

const schemas = '^broker/api/([^/]+[.]schema|schemas)[.]ts$'
const logTypes = '^broker/log/types[.]ts$'
const envTypes = '^broker/env/types[.]ts$'
const room = (name: string): string => `^broker/${name}/`
const rooms = (...names: string[]): string[] => names.map(room)

export interface Room {
  readonly name: string
  /** Regular expressions over paths from the project's root. */
  readonly files: string
  readonly except?: string
  readonly mayImport: readonly string[]
}

const deciders = [schemas, logTypes, room('wire'), envTypes, room('quorum')]
const everythingNodeStandsOn = [
  ...rooms('wire', 'env', 'api', 'net', 'log', 'quorum', 'cluster', 'coordinator'),
  ...rooms('security', 'quota', 'client', 'fault'),
]

export const layers: readonly Room[] = [
  { name: 'wire', files: room('wire'), mayImport: [] },
  { name: 'env', files: room('env'), mayImport: [] },
  { name: 'contract', files: room('contract'), mayImport: [] },
  { name: 'schemas', files: schemas, mayImport: rooms('wire') },
  { name: 'net', files: room('net'), mayImport: rooms('wire', 'env') },
  { name: 'log', files: room('log'), mayImport: rooms('wire', 'env') },
  { name: 'quorum', files: room('quorum'), mayImport: deciders },
  { name: 'cluster', files: room('cluster'), mayImport: deciders },
  { name: 'coordinator', files: room('coordinator'), mayImport: [...deciders, room('cluster')] },
  { name: 'security', files: room('security'), mayImport: [schemas, ...rooms('wire', 'env')] },
  { name: 'quota', files: room('quota'), mayImport: [schemas, ...rooms('wire', 'env')] },
  {
    name: 'api',
    files: room('api'),
    except: schemas,
    mayImport: [schemas, ...rooms('quorum', 'cluster', 'coordinator', 'security', 'quota', 'log', 'wire')],
  },
  { name: 'client', files: room('client'), mayImport: [schemas, ...rooms('net', 'wire', 'env')] },
  { name: 'fault', files: room('fault'), mayImport: [schemas, ...rooms('wire', 'env')] },
  { name: 'node', files: room('node'), mayImport: everythingNodeStandsOn },
  { name: 'runtime', files: room('runtime'), mayImport: rooms('fault', 'client', 'wire', 'log', 'env') },
  { name: 'mirror', files: room('mirror'), mayImport: [schemas, ...rooms('client', 'wire', 'env')] },
  { name: 'monitor', files: room('monitor'), mayImport: [schemas, ...rooms('client', 'wire', 'env')] },
  { name: 'scenario', files: room('scenario'), mayImport: rooms('client', 'runtime', 'fault', 'monitor', 'env') },
  { name: 'store', files: room('store'), mayImport: rooms('env') },
  { name: 'host', files: room('host'), mayImport: ['^broker/(?!cli/)'] },
  { name: 'cli', files: room('cli'), mayImport: ['^broker/'] },
  { name: 'electron', files: '^electron/', except: '^electron/host-process[.]ts$', mayImport: [room('contract')] },
  { name: 'electron-host-process', files: '^electron/host-process[.]ts$', mayImport: ['^electron/', ...rooms('contract', 'host')] },
  { name: 'renderer', files: '^renderer/', mayImport: rooms('contract') },
]

/** Modules of the platform that only `env/` binds: everything else in `broker/` receives them through `Env`. */
export const platformModules: readonly string[] = [
  'fs',
  'fs/promises',
  'net',
  'tls',
  'crypto',
  'worker_threads',
  'timers',
  'timers/promises',
]

/** Globals that make a run differ from the next one, each with what to use instead. */
export const platformGlobals: Readonly<Record<string, string>> = {
  setTimeout: 'Use env.timers.',
  setInterval: 'Use env.timers.',
  setImmediate: 'Use env.scheduler.',
  performance: 'Use env.clock.monotonicMs().',
  crypto: 'Use env.random.',
}

/** Files at the edge of the process, by name. */
export const edgeFiles: readonly string[] = [
  'broker/env/**',
  'broker/node/main.ts',
  'broker/runtime/launcher.ts',
  'broker/runtime/watchdog.ts',
  'broker/runtime/process-identity.ts',
  'broker/host/web-server.ts',
  'broker/host/local-socket.ts',
  'broker/host/workers/**',
  'broker/cli/**',
  'broker/store/**',
  'broker/security/hashing.ts',
]
