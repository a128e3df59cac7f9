import type { ConnectionStats, ServerConnection } from './types.ts'

/** Longest text kept of what a client says about itself or failed with. */
const TEXT_CHARACTERS_MAX = 256

/** What is counted of one connection, for the list of connected clients. Owned by its connection. */
export class ConnectionStatistics {
  bytesIn = 0
  bytesOut = 0
  requestCount = 0
  readonly #connectedMs: number
  readonly #requestCountByApi = new Map<number, number>()
  #lastRequestMs: number | null = null
  #clientId: string | null = null
  #softwareName: string | null = null
  #softwareVersion: string | null = null
  #lastError: string | null = null
  #lastErrorMs: number | null = null

  constructor(connectedMs: number) {
    this.#connectedMs = connectedMs
  }

  set clientId(clientId: string) {
    if (this.#clientId !== clientId) this.#clientId = bounded(clientId)
  }

  set softwareName(name: string) {
    this.#softwareName = bounded(name)
  }

  set softwareVersion(version: string) {
    this.#softwareVersion = bounded(version)
  }

  countRequest(apiKey: number, nowMs: number): void {
    this.requestCount++
    this.#requestCountByApi.set(apiKey, (this.#requestCountByApi.get(apiKey) ?? 0) + 1)
    this.#lastRequestMs = nowMs
  }

  recordError(text: string, nowMs: number): void {
    this.#lastError = bounded(text)
    this.#lastErrorMs = nowMs
  }

  snapshot(connection: ServerConnection, inflightCount: number): ConnectionStats {
    return {
      id: connection.id,
      listenerName: connection.listenerName,
      remoteHost: connection.remote.host,
      remotePort: connection.remote.port,
      peer: connection.peer,
      connectedMs: this.#connectedMs,
      lastRequestMs: this.#lastRequestMs,
      bytesIn: this.bytesIn,
      bytesOut: this.bytesOut,
      requestCount: this.requestCount,
      requestCountByApi: Object.fromEntries(this.#requestCountByApi),
      inflightCount,
      clientId: this.#clientId,
      softwareName: this.#softwareName,
      softwareVersion: this.#softwareVersion,
      lastError: this.#lastError,
      lastErrorMs: this.#lastErrorMs,
    }
  }
}

function bounded(text: string): string {
  return text.length <= TEXT_CHARACTERS_MAX ? text : text.slice(0, TEXT_CHARACTERS_MAX)
}
