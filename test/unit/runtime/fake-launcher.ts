import type { Launcher, NodeProcess, NodeProcessHandlers } from '../../../broker/runtime/launcher.ts'
import type { FromNode, NodeConfig, ToNode } from '../../../broker/runtime/node-protocol.ts'

export interface FakeProcess {
  readonly config: NodeConfig
  readonly received: ToNode[]
  readonly signals: string[]
  say(message: FromNode): void
  exit(how: { code?: number; signal?: string }): void
}

/** Processes that do what the test says. Ids start far above any real one. */
export function createFakeLauncher(options: { readonly onLaunch?: (process: FakeProcess) => void } = {}): {
  readonly launcher: Launcher
  readonly launched: FakeProcess[]
} {
  const launched: FakeProcess[] = []
  let nextPid = 1_000_000_000
  const launcher: Launcher = {
    launch(config, _options, handlers) {
      const { fake, process } = fakeProcess(config, handlers, (nextPid += 1))
      launched.push(fake)
      options.onLaunch?.(fake)
      return process
    },
  }
  return { launcher, launched }
}

function fakeProcess(config: NodeConfig, handlers: NodeProcessHandlers, pid: number): { fake: FakeProcess; process: NodeProcess } {
  const fake: FakeProcess = {
    config,
    received: [],
    signals: [],
    say: (message) => handlers.onMessage(message),
    exit: ({ code, signal }) => handlers.onExit({ code: code ?? null, signal: signal ?? null, failure: null }),
  }
  const process: NodeProcess = {
    pid,
    send: (message) => {
      fake.received.push(message)
      if (message.type === 'leave') queueMicrotask(() => fake.say({ type: 'left' }))
      if (message.type === 'stop') queueMicrotask(() => fake.exit({ code: 0 }))
    },
    signal: (name) => {
      fake.signals.push(name)
      if (name === 'SIGKILL') queueMicrotask(() => fake.exit({ signal: 'SIGKILL' }))
    },
  }
  return { fake, process }
}

/** What a healthy node does: binds its ports and is ready, after its launch has returned. */
export function healthy(process: FakeProcess): void {
  queueMicrotask(() => {
    const listeners = process.config.listeners.map((listener, index) => ({
      ...listener,
      port: listener.port || 40_000 + process.config.nodeId + index,
    }))
    const voter = process.config.companion
    if (voter !== undefined) listeners.push({ name: 'CONTROLLER', host: '127.0.0.1', port: 40_000 + voter.nodeId })
    process.say({ type: 'listening', listeners })
    process.say({ type: 'ready' })
  })
}
