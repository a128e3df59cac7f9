import type { KafkaClient } from '../client/types.ts'

/** Makes the client of one cluster. `clientId` is what the brokers see. */
export type CreateClient = (bootstrapServers: readonly string[], clientId?: string) => KafkaClient

/** What the console's own connections call themselves. */
export const consoleClientId = 'weir-console'
