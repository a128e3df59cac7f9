/**
 * A broker and a voter of the quorum in one process, each on its own listeners and its own folder: what one process saves in
 * memory. They know of each other no more than if they were two; the voter only starts first and ends last.
 */
import type { Env } from '../env/types.ts'
import { createBroker } from './broker.ts'
import type { NodeConfig } from './config.ts'
import { createController } from './controller.ts'
import type { RunningNode } from './running-node.ts'

/** The name under which the voter's listener is reported; it binds INTERNAL, as the broker does. */
export const CONTROLLER_LISTENER = 'CONTROLLER'

export async function createCombined(env: Env, config: NodeConfig, voter: NodeConfig): Promise<RunningNode> {
  const controller = await createController(env, voter)
  // Whoever starts together needs the voter up, or no broker could register.
  const broker = await createBroker(env, config).catch(async (error: unknown) => {
    await controller.stop()
    throw error
  })
  return {
    listeners: [...broker.listeners, ...controller.listeners.map((listener) => ({ ...listener, name: CONTROLLER_LISTENER }))],
    ready: Promise.all([controller.ready, broker.ready]).then(() => undefined),
    failed: Promise.race([controller.failed, broker.failed]),
    setControllers(controllers) {
      controller.setControllers(controllers)
      broker.setControllers(controllers)
    },
    nodeEnded: (nodeId) => controller.nodeEnded?.(nodeId),
    connections: () => broker.connections(),
    leave: () => broker.stop(),
    async stop() {
      await broker.stop()
      await controller.stop()
    },
  }
}
