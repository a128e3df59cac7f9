/** What a line of the timeline says. */
import type { ElectionCause } from '../../contract/timeline.ts'
import type { BrokerChange } from './cluster-differ.ts'
import type { EventGroup } from './event-groups.ts'
import type { QuorumChange } from './quorum-differ.ts'

const countFormat = new Intl.NumberFormat('en-US')
/** New leaders that a sentence names. */
const heirsNamedMax = 4

export function brokerSentence({ kind, broker, address }: BrokerChange): string {
  if (kind === 'broker-fenced') return `Broker ${broker} is fenced: it is not among the live brokers any more.`
  if (kind === 'broker-unfenced') return `Broker ${broker} is unfenced: it is among the live brokers again.`
  return `Broker ${broker} registered${address === null ? '' : `, at ${address}`}.`
}

export function quorumSentence(change: QuorumChange): string {
  if (change.kind === 'quorum-lost') {
    const last = change.from === null ? '' : ` The last leader was controller ${change.from}, in epoch ${change.epoch}.`
    return `The controller quorum is lost: nobody leads it.${last}`
  }
  if (change.kind === 'quorum-returned') {
    return `The controller quorum is back: controller ${change.to} leads it in epoch ${change.epoch}, after ${secondsText(change.quietMs)} without a leader.`
  }
  const before = change.from === null ? '' : change.from === change.to ? ', as it did before' : `, after controller ${change.from}`
  return `Controller ${change.to} was elected to lead the quorum in epoch ${change.epoch}${before}.`
}

export function groupSentence(group: EventGroup): string {
  const what = partitionsText(group)
  const isOne = group.seen.size === 1
  const [only] = group.partitions.values()
  switch (group.kind) {
    case 'leader-changed': {
      const from = isOne && only?.from != null ? ` instead of broker ${only.from}` : ''
      const epoch = isOne && only !== undefined && only.leaderEpoch >= 0 ? ` in leader epoch ${only.leaderEpoch}` : ''
      return `${what} ${isOne ? 'is' : 'are'} led by ${heirsText(group)}${from}${epoch}${whyText(group)}.`
    }
    case 'partition-offline':
      return `${what} went offline: ${lastLeaderText(group)}. Nothing can be read from or written to ${isOne ? 'it' : 'them'}.`
    case 'partition-online':
      return `${what} ${isOne ? 'is' : 'are'} online again, led by ${heirsText(group)}${whyText(group)}.`
    case 'isr-shrunk':
      return `${brokersText(group.about)} fell out of sync on ${what}${inSyncText(group)}.`
    case 'isr-expanded':
      return `${brokersText(group.about)} ${group.about.length > 1 ? 'are' : 'is'} in sync again on ${what}${inSyncText(group)}.`
  }
}

/** `orders-3`, `4 partitions of orders`, `10,000 partitions of 2,500 topics`. */
function partitionsText({ seen, topics, partitions }: EventGroup): string {
  const [only] = partitions.values()
  if (seen.size === 1 && only !== undefined) return `${only.topic}-${only.partition}`
  const [topic] = topics
  return `${countFormat.format(seen.size)} partitions of ${topics.size === 1 ? topic : `${countFormat.format(topics.size)} topics`}`
}

function heirsText({ heirs }: EventGroup): string {
  const ranked = [...heirs].sort(([a, countA], [b, countB]) => countB - countA || a - b)
  const [first] = ranked
  if (first === undefined) return 'nobody'
  if (ranked.length === 1) return `broker ${first[0]}`
  const named = ranked.slice(0, heirsNamedMax).map(([broker, count]) => `${broker} (${countFormat.format(count)})`)
  const rest = ranked.length - named.length
  return `brokers ${named.join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`
}

function whyText({ cause, about }: EventGroup): string {
  const because: Readonly<Record<ElectionCause, string>> = {
    'broker-ended': `: ${brokersText(about).toLowerCase()} ended`,
    'broker-stopping': `: ${brokersText(about).toLowerCase()} is being stopped`,
    preferred: ', the preferred leader',
    unclean: ', which was not in sync: an unclean election, records may be lost',
  }
  return cause === null ? '' : because[cause]
}

function lastLeaderText({ cause, about }: EventGroup): string {
  if (about.length === 0) return 'nobody leads any more'
  const leader = brokersText(about).toLowerCase()
  if (cause === 'broker-stopping') return `${leader}, which led, is being stopped, and nobody may take over`
  return cause === 'broker-ended'
    ? `${leader}, which led, ended, and nobody may take over`
    : `${leader} does not lead any more, and nobody may take over`
}

/** How many are left, where that is one number. */
function inSyncText({ seen, partitions }: EventGroup): string {
  const [only] = partitions.values()
  return seen.size === 1 && only !== undefined ? `: ${only.isr.length} of ${only.replicaCount} replicas are in sync` : ''
}

function brokersText(brokers: readonly number[]): string {
  if (brokers.length === 0) return 'Several brokers'
  return brokers.length === 1 ? `Broker ${brokers[0]}` : `Brokers ${brokers.slice(0, -1).join(', ')} and ${brokers.at(-1)}`
}

function secondsText(spanMs: number): string {
  return spanMs < 60_000 ? `${(spanMs / 1_000).toFixed(spanMs < 10_000 ? 1 : 0)} s` : `${Math.round(spanMs / 60_000)} min`
}
