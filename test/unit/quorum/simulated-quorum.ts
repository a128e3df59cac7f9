/**
 * Voters of one quorum on virtual time, with a network that delays, reorders, loses and duplicates, and disks that forget what
 * was not flushed; voters cut their logs behind snapshots and hand those to whoever fell behind. Seeded: the same seed takes the same steps. Every invariant of the quorum is checked as it runs.
 */
import { SimulatedRandom } from '../../../broker/env/sim-random.ts'
import { INITIAL_ELECTION_STATE } from '../../../broker/quorum/election-state.ts'
import { initialQuorumState, step } from '../../../broker/quorum/quorum-machine.ts'
import {
  QUORUM_TIMEOUTS,
  type ElectionState,
  type FetchRequest,
  type LogFacts,
  type QuorumEffect,
  type QuorumEvent,
  type QuorumRequest,
  type QuorumResponse,
  type QuorumState,
  type SnapshotId,
  type TimerName,
  type VoterSet,
} from '../../../broker/quorum/types.ts'
import { ErrorCode } from '../../../broker/wire/errors.ts'

export interface SimulatedRecord {
  readonly epoch: number
  readonly value: string
}

export interface Weather {
  readonly lossRate: number
  readonly duplicateRate: number
  readonly delayMaxMs: number
  /** This node hears nobody and is heard by nobody. */
  readonly cutOff: number | null
}

export const FAIR: Weather = { lossRate: 0, duplicateRate: 0, delayMaxMs: 5, cutOff: null }
const FLUSH_MS_MAX = 8
const POLL_MS = 40

interface SimulatedNode {
  readonly id: number
  state: QuorumState
  /** Null while crashed. Distinguishes what was started by which life of the node. */
  life: number | null
  /** Whole; what lies below `startOffset` counts as cut off and is looked at by the invariants alone. */
  log: SimulatedRecord[]
  startOffset: number
  /** The newest two, ascending. */
  snapshots: readonly SnapshotId[]
  flushed: number
  election: ElectionState
  readonly timers: Map<TimerName, number>
  /** Names the snapshot being fetched; news of another one is late. */
  snapshotFetch: number
}

interface Planned {
  readonly atMs: number
  readonly order: number
  readonly run: () => void
}

export class SimulatedQuorum {
  readonly nodes: SimulatedNode[] = []
  readonly committed: SimulatedRecord[] = []
  /** For each committed record, the epoch it became so in. */
  readonly #committedIn: number[] = []
  readonly leaderOfEpoch = new Map<number, number>()
  weather: Weather = FAIR
  nowMs = 0
  elections = 0
  snapshotsInstalled = 0
  #order = 0
  readonly #random: SimulatedRandom
  #plan: Planned[] = []
  #token = 0
  #lives = 0
  readonly #voters: VoterSet
  readonly #replyTo = new Map<
    number,
    { readonly from: number; readonly at: number; readonly life: number; readonly request: QuorumRequest }
  >()

  constructor(voterCount: number, seed: number) {
    this.#random = new SimulatedRandom(seed)
    this.#voters = Array.from({ length: voterCount }, (_, index) => ({ id: 1001 + index, directoryId: `directory-of-${1001 + index}` }))
    for (const { id } of this.#voters) {
      this.nodes.push({
        id,
        state: this.#initial(id, INITIAL_ELECTION_STATE),
        life: null,
        log: [],
        startOffset: 0,
        snapshots: [],
        flushed: 0,
        election: INITIAL_ELECTION_STATE,
        timers: new Map(),
        snapshotFetch: 0,
      })
    }
  }

  below(bound: number): number {
    return this.#random.below(bound)
  }

  start(node: SimulatedNode): void {
    node.life = ++this.#lives
    node.state = this.#initial(node.id, node.election)
    this.#dispatch(node, { type: 'start' })
  }

  /** Power loss: what was not flushed is gone, except a part that happened to reach the disk. */
  crash(node: SimulatedNode): void {
    node.life = null
    node.timers.clear()
    node.log = node.log.slice(0, node.flushed + this.below(node.log.length - node.flushed + 1))
    node.flushed = node.log.length
  }

  /** Makes a snapshot of what is committed and cuts the log behind the one before. */
  snapshot(node: SimulatedNode): void {
    const endOffset = Math.min(node.state.highWatermark, node.log.length)
    const before = node.snapshots.at(-1)
    if (node.life === null || endOffset <= (before?.endOffset ?? 0)) return
    const latest = { endOffset, epoch: node.log[endOffset - 1]!.epoch }
    node.snapshots = before === undefined ? [latest] : [before, latest]
    node.startOffset = node.snapshots[0]!.endOffset
  }

  isUp(node: SimulatedNode): boolean {
    return node.life !== null
  }

  leader(): SimulatedNode | undefined {
    const leaders = this.nodes.filter((node) => node.life !== null && node.state.role.name === 'leader')
    return leaders.sort((one, other) => other.state.epoch - one.state.epoch)[0]
  }

  append(value: string): void {
    const leader = this.leader()
    if (leader === undefined) return
    leader.log.push({ epoch: leader.state.epoch, value })
    this.#flushLater(leader)
  }

  /** Runs until `done`, or `forMs` of virtual time have passed; says which. */
  run(forMs: number, done: () => boolean = () => false): boolean {
    const untilMs = this.nowMs + forMs
    while (!done()) {
      let next: Planned | undefined
      for (const planned of this.#plan) {
        if (next === undefined || planned.atMs < next.atMs || (planned.atMs === next.atMs && planned.order < next.order)) next = planned
      }
      if (next === undefined || next.atMs > untilMs) {
        this.nowMs = untilMs
        return false
      }
      this.#plan.splice(this.#plan.indexOf(next), 1)
      this.nowMs = next.atMs
      next.run()
    }
    return true
  }

  #initial(id: number, election: ElectionState): QuorumState {
    const self = this.#voters.find((voter) => voter.id === id)!
    return initialQuorumState({ self, clusterId: 'simulated', ...QUORUM_TIMEOUTS }, this.#voters, election)
  }

  #at(delayMs: number, run: () => void): void {
    this.#plan.push({ atMs: this.nowMs + delayMs, order: this.#order++, run })
  }

  #dispatch(node: SimulatedNode, event: QuorumEvent): void {
    const before = node.state
    const { state, effects } = step(before, event, factsOf(node), this.nowMs)
    if (state.epoch < before.epoch) throw new Error('the epoch fell')
    if (state.highWatermark < before.highWatermark) throw new Error('the high watermark fell')
    const firstPersist = effects.findIndex(({ type }) => type === 'persist')
    const firstMessage = effects.findIndex(({ type }) => type === 'send' || type === 'reply')
    if (firstPersist > firstMessage && firstMessage !== -1) throw new Error('a message left before the vote was stored')
    node.state = state
    for (const effect of effects) this.#carryOut(node, effect)
  }

  #carryOut(node: SimulatedNode, effect: QuorumEffect): void {
    switch (effect.type) {
      case 'persist':
        node.election = effect.election
        return
      case 'send':
        return this.#sendRequest(node, effect.to, effect.request)
      case 'reply':
        return this.#sendResponse(node, effect.token, effect.response)
      case 'serveFetch': {
        const { fetchOffset, highWatermark: known, maxWaitMs } = effect.request
        const hasNews = fetchOffset < node.log.length || known < node.state.highWatermark
        if (!hasNews && maxWaitMs > 0) return this.#serveLater(node, effect.token, effect.request)
        const records = node.log.slice(effect.request.fetchOffset)
        const { epoch, highWatermark } = node.state
        const response = {
          api: 'fetch',
          errorCode: ErrorCode.NONE,
          leaderId: node.id,
          epoch,
          highWatermark,
          logStartOffset: node.startOffset,
          diverging: null,
          snapshot: null,
          records: encode(records),
        } as const
        return this.#sendResponse(node, effect.token, response)
      }
      case 'timer':
        return this.#startTimer(node, effect.timer, effect.delayMs + this.below(effect.jitterMs + 1))
      case 'clearTimers':
        return node.timers.clear()
      case 'appendLeaderChange':
        node.log.push({ epoch: effect.epoch, value: `leader ${node.id}` })
        this.#noteLeader(node)
        return this.#flushLater(node)
      case 'appendFetched':
        node.log.push(...decode(effect.records))
        node.flushed = node.log.length
        return this.#dispatchSoon(node, { type: 'flushed', endOffset: node.flushed })
      case 'truncate':
        if (effect.toOffset < node.startOffset) throw new Error('the log was cut below its start')
        node.log.length = effect.toOffset
        node.flushed = Math.min(node.flushed, effect.toOffset)
        return this.#dispatchSoon(node, { type: 'logChanged' })
      case 'highWatermark':
        return this.#noteCommitted(node, effect.offset)
      case 'fetchSnapshot':
        return this.#fetchSnapshot(node, effect.from, effect.snapshot)
      case 'installSnapshot':
        return this.#installSnapshot(node, effect.snapshot)
      case 'roleChanged':
        return
    }
  }

  /** In two parts, each of which may get lost with the rest. */
  #fetchSnapshot(node: SimulatedNode, from: number, snapshot: SnapshotId): void {
    const { life } = node
    const fetch = ++this.#order
    node.snapshotFetch = fetch
    const report = (event: QuorumEvent): void => {
      if (node.life === life && node.snapshotFetch === fetch) this.#dispatch(node, event)
    }
    const fail = (): void => this.#at(200, () => report({ type: 'snapshotFailed', from }))
    const source = this.nodes.find(({ id }) => id === from)!
    const arrive = (): void => {
      const isKept = source.life !== null && source.snapshots.some(({ endOffset }) => endOffset === snapshot.endOffset)
      if (!isKept) return fail()
      report({ type: 'snapshotPart', from })
      this.#travel([from, node.id], () => report({ type: 'snapshotFetched', from, snapshot }), fail)
    }
    this.#travel([node.id, from], arrive, fail)
  }

  #installSnapshot(node: SimulatedNode, snapshot: SnapshotId): void {
    if (snapshot.endOffset <= node.startOffset) throw new Error('a snapshot took the log back')
    this.snapshotsInstalled++
    node.log = this.committed.slice(0, snapshot.endOffset)
    if (node.log.length < snapshot.endOffset) throw new Error('a snapshot contains what is not committed')
    node.startOffset = node.flushed = snapshot.endOffset
    node.snapshots = [snapshot]
    this.#dispatchSoon(node, { type: 'logChanged' })
  }

  #serveLater(node: SimulatedNode, token: number, request: FetchRequest): void {
    const { life } = node
    this.#at(POLL_MS, () => {
      const rest = { ...request, maxWaitMs: Math.max(0, request.maxWaitMs - POLL_MS) }
      if (node.life === life) this.#dispatch(node, { type: 'request', token, request: rest })
    })
  }

  #dispatchSoon(node: SimulatedNode, event: QuorumEvent): void {
    const { life } = node
    this.#at(0, () => {
      if (node.life === life) this.#dispatch(node, event)
    })
  }

  #startTimer(node: SimulatedNode, timer: TimerName, delayMs: number): void {
    const id = this.#order++
    node.timers.set(timer, id)
    this.#at(delayMs, () => {
      if (node.timers.get(timer) !== id) return
      node.timers.delete(timer)
      this.#dispatch(node, { type: 'timer', timer })
    })
  }

  #flushLater(node: SimulatedNode): void {
    const { life } = node
    const endOffset = node.log.length
    const last = node.log[endOffset - 1]
    this.#at(this.below(FLUSH_MS_MAX), () => {
      // A log cut meanwhile has nothing of that append left to report.
      if (node.life !== life || node.log[endOffset - 1] !== last) return
      node.flushed = Math.max(node.flushed, endOffset)
      this.#dispatch(node, { type: 'flushed', endOffset: node.flushed })
    })
  }

  #sendRequest(from: SimulatedNode, to: number, request: QuorumRequest): void {
    const life = from.life!
    // A fetch tells the leader what is stored, so whatever it claims is flushed first.
    if (request.api === 'fetch') from.flushed = from.log.length
    const token = ++this.#token
    this.#replyTo.set(token, { from: from.id, at: to, life, request })
    const arrive = (): void => {
      const target = this.nodes.find((node) => node.id === to)!
      if (target.life === null) return this.#fail(token)
      this.#dispatch(target, { type: 'request', token, request })
    }
    this.#travel([from.id, to], arrive, () => this.#fail(token))
  }

  #sendResponse(from: SimulatedNode, token: number, response: QuorumResponse): void {
    const waiting = this.#replyTo.get(token)
    if (waiting === undefined || waiting.at !== from.id) return
    this.#travel(
      [from.id, waiting.from],
      () => this.#answer(token, response),
      () => this.#fail(token),
    )
  }

  #fail(token: number): void {
    this.#at(200, () => this.#answer(token, null))
  }

  #answer(token: number, response: QuorumResponse | null): void {
    const waiting = this.#replyTo.get(token)
    if (waiting === undefined) return
    this.#replyTo.delete(token)
    const node = this.nodes.find(({ id }) => id === waiting.from)!
    if (node.life === waiting.life) this.#dispatch(node, { type: 'response', from: waiting.at, request: waiting.request, response })
  }

  #travel(ends: readonly [number, number], arrive: () => void, lose: () => void): void {
    const { lossRate, duplicateRate, delayMaxMs, cutOff } = this.weather
    if (this.#random.fraction() < lossRate || (cutOff !== null && ends.includes(cutOff))) return lose()
    this.#at(this.below(delayMaxMs + 1), arrive)
    if (this.#random.fraction() < duplicateRate) this.#at(this.below(delayMaxMs + 1), arrive)
  }

  #noteLeader(node: SimulatedNode): void {
    const { epoch } = node.state
    const other = this.leaderOfEpoch.get(epoch)
    if (other !== undefined && other !== node.id) throw new Error(`epoch ${epoch} has two leaders, ${other} and ${node.id}`)
    this.leaderOfEpoch.set(epoch, node.id)
    this.elections++
    // Votes may arrive so late that the next epoch has a leader already; what that one committed, this one need not know.
    const later = this.#committedIn.findIndex((committingEpoch) => committingEpoch > epoch)
    this.#expectPrefix(node, later === -1 ? this.committed.length : later)
  }

  #noteCommitted(node: SimulatedNode, offset: number): void {
    this.#expectPrefix(node, Math.min(offset, this.committed.length))
    const fresh = node.log.slice(this.committed.length, offset)
    this.committed.push(...fresh)
    this.#committedIn.push(...fresh.map(() => node.state.epoch))
    if (offset > node.log.length) throw new Error('the high watermark passed the end of the log')
  }

  #expectPrefix(node: SimulatedNode, length: number): void {
    for (let offset = 0; offset < length; offset++) {
      const mine = node.log[offset]
      const agreed = this.committed[offset]!
      if (mine?.epoch !== agreed.epoch || mine.value !== agreed.value)
        throw new Error(`node ${node.id} lacks the committed record at ${offset}`)
    }
  }
}

function factsOf(node: SimulatedNode): LogFacts {
  const { log, flushed, startOffset, snapshots } = node
  return {
    endOffset: log.length,
    startOffset,
    flushedOffset: flushed,
    lastEpoch: log.at(-1)?.epoch ?? 0,
    latestSnapshot: snapshots.at(-1) ?? null,
    endOffsetForEpoch(epoch) {
      const below = log.findLastIndex((record) => record.epoch <= epoch)
      // The record before the start is known by the snapshot that ends with it.
      return below < startOffset - 1 || below === -1 ? null : { epoch: log[below]!.epoch, endOffset: below + 1 }
    },
  }
}

const encode = (records: readonly SimulatedRecord[]): Buffer =>
  records.length === 0 ? Buffer.alloc(0) : Buffer.from(JSON.stringify(records))
const decode = (bytes: Buffer): SimulatedRecord[] => JSON.parse(bytes.toString()) as SimulatedRecord[]
