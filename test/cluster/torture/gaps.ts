/**
 * The longest times without an acknowledged write, by what was being done to the cluster for most of the silence and by client:
 * what a kill costs is the cluster's doing, what a pause costs mostly the client's patience.
 */
import { ACTION_MS, type Action } from './chaos.ts'
import { REQUEST_TIMEOUT_MS, type Stream } from './streams.ts'

interface Disruption {
  readonly action: Action
  readonly role: 'broker' | 'controller'
  readonly atMs: number
}

interface Gap {
  readonly ms: number
  readonly stream: Stream
}

export class Gaps {
  /** In order of time. */
  readonly #disruptions: Disruption[] = []
  readonly #longest = new Map<string, Gap>()

  began(action: Action, role: Disruption['role']): void {
    this.#disruptions.push({ action, role, atMs: performance.now() })
  }

  acknowledged(stream: Stream): void {
    const sinceMs = stream.lastAcknowledgedMs
    stream.lastAcknowledgedMs = performance.now()
    const cause = this.#causeOf(sinceMs, stream.lastAcknowledgedMs)
    if (cause === null) return
    const key = keyOf(cause, stream.name)
    const ms = stream.lastAcknowledgedMs - sinceMs
    if (ms > (this.#longest.get(key)?.ms ?? 0)) this.#longest.set(key, { ms, stream })
  }

  #causeOf(fromMs: number, toMs: number): Disruption | null {
    let cause: Disruption | null = null
    let longestMs = 0
    let untilMs = toMs
    for (let index = this.#disruptions.length - 1; index >= 0; index--) {
      const disruption = this.#disruptions[index]!
      const coveredMs = untilMs - Math.max(fromMs, disruption.atMs)
      if (coveredMs > longestMs) [cause, longestMs] = [disruption, coveredMs]
      untilMs = Math.min(untilMs, disruption.atMs)
      if (untilMs <= fromMs) break
    }
    return cause
  }

  report(): string {
    const line = (what: string, actions: readonly Action[], role: Disruption['role']): string => {
      const of = (client: string) => {
        const gaps = actions.flatMap((action) => this.#longest.get(keyOf({ action, role }, client)) ?? [])
        const longest = gaps.toSorted((one, other) => other.ms - one.ms)[0]
        return longest === undefined ? `${client} none` : `${client} ${Math.round(longest.ms)} ms (partition ${longest.stream.partition})`
      }
      return `  ${what}: ${of('kafkajs')}, ${of('kcat')}`
    }
    return `longest times without an acknowledged write of a partition, by what was done meanwhile:
${line('kills and restarts of brokers', ['kill', 'restart'], 'broker')}
${line('kills and restarts of controllers', ['kill', 'restart'], 'controller')}
${line(`pauses of brokers of ${ACTION_MS.pause} ms`, ['pause'], 'broker')}
${line(`pauses of brokers of ${ACTION_MS['long pause']} ms, beyond their session`, ['long pause'], 'broker')}
${line('pauses of controllers', ['pause', 'long pause'], 'controller')}
  A paused broker still takes connections and answers nothing: clients look for another leader each time a request or a
  handshake has waited ${REQUEST_TIMEOUT_MS} ms, and find one when its session has run out. After a kill librdkafka asks for the
  leader at once; if the others have not heard of the kill by then, it asks again after a second.`
  }
}

function keyOf({ action, role }: Pick<Disruption, 'action' | 'role'>, client: string): string {
  return `${action} ${role} ${client}`
}
