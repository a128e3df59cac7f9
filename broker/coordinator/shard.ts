import { ErrorCode } from '../wire/errors.ts'
import type { CoordinatorRecord } from './group-records.ts'
import { groupRecord, groupTombstone, offsetRecord } from './group-records.ts'
import { step } from './group-step.ts'
import type { Group, GroupConfig, GroupEffect, GroupEvent, GroupReply, GroupTimer, Now, RefusedReply, ReplyToken } from './group-types.ts'
import { createGroup } from './group-types.ts'
import { allOffsets, expiredOffsets, removeOffset } from './offsets.ts'

/**
 * The groups of one partition of `__consumer_offsets`, while this broker leads it.
 *
 * A shard carries out the effects of its groups' steps: it holds the timers and the parked replies, and appends records.
 * It is thrown away when leadership is lost (`close`), and what was in flight then finds nobody to tell.
 */
export interface ShardPorts {
  now(): Now
  after(delayMs: number, callback: () => void): { cancel(): void }
  /** Appends with acks=all and resolves once committed, or with why not. Call order is log order. Never rejects. */
  append(records: readonly CoordinatorRecord[]): Promise<ErrorCode>
  /** Called for every change worth telling: the console's timeline of rebalances. */
  onTransition?(group: Group): void
  /** A group's state could not be written down as a record. */
  onUnwritable?(group: Group, problem: unknown): void
}

interface Slot {
  readonly group: Group
  readonly timers: Map<GroupTimer, { cancel(): void }>
  /** Appends under way; a group with any is not forgotten. */
  pendingAppends: number
}

/** A batch of `__consumer_offsets` stays well below max.message.bytes with this many tombstones. */
const TOMBSTONES_PER_APPEND_MAX = 1_000

export class Shard {
  readonly #slots = new Map<string, Slot>()
  readonly #parked = new Map<ReplyToken, (reply: GroupReply) => void>()
  readonly #ports: ShardPorts
  readonly #config: GroupConfig
  #nextToken: ReplyToken = 1
  #isOpen = true

  constructor(ports: ShardPorts, config: GroupConfig) {
    this.#ports = ports
    this.#config = config
  }

  /** Takes over what was read from the log. Members get a full session to report to their new coordinator. */
  adopt(groups: ReadonlyMap<string, Group>): void {
    for (const group of groups.values()) {
      const slot = this.#add(group)
      for (const member of group.members.values()) this.#schedule(slot, `session:${member.memberId}`, member.sessionTimeoutMs)
    }
  }

  get(groupId: string): Group | undefined {
    return this.#slots.get(groupId)?.group
  }

  groups(): Group[] {
    return [...this.#slots.values()].map(({ group }) => group)
  }

  /** Runs an event that is answered by exactly one reply, now or later. */
  request<Reply extends GroupReply>(groupId: string, event: (token: ReplyToken) => GroupEvent): Promise<Reply | RefusedReply> {
    return new Promise((resolve) => this.#submit(groupId, event, resolve as (reply: GroupReply) => void))
  }

  /** Runs an event whose reply is among the effects of its own step. */
  requestNow<Reply extends GroupReply>(groupId: string, event: (token: ReplyToken) => GroupEvent): Reply | RefusedReply {
    let answer: GroupReply | null = null
    this.#submit(groupId, event, (reply) => (answer = reply))
    if (answer === null) throw new Error(`an event of group ${groupId} was not answered within its step`)
    return answer
  }

  /** The slot of the group, made when absent. A group nothing came of is forgotten again by `#run`. */
  obtain(groupId: string): Slot {
    return this.#slots.get(groupId) ?? this.#add(createGroup(groupId, this.#ports.now()))
  }

  /** Appends on behalf of a group and applies the outcome, unless the shard was closed meanwhile. */
  async append(groupId: string, records: readonly CoordinatorRecord[], applied: () => void): Promise<ErrorCode> {
    const slot = this.obtain(groupId)
    slot.pendingAppends += 1
    const errorCode = groupErrorOf(await this.#ports.append(records))
    slot.pendingAppends -= 1
    if (!this.#isOpen) return ErrorCode.NOT_COORDINATOR
    if (errorCode === ErrorCode.NONE) applied()
    this.#forgetIfPristine(slot)
    return errorCode
  }

  /** Deletes an empty group with all its offsets. */
  async delete(groupId: string): Promise<ErrorCode> {
    const slot = this.#slots.get(groupId)
    if (slot === undefined || slot.group.state === 'Dead') return ErrorCode.GROUP_ID_NOT_FOUND
    const { group } = slot
    if (group.state !== 'Empty' || group.pendingMembers.size > 0) return ErrorCode.NON_EMPTY_GROUP
    group.state = 'Dead'
    const tombstones = allOffsets(group).map(({ topic, partition }) => offsetRecord(groupId, topic, partition, null))
    const errorCode = await this.#appendAll(groupId, [...tombstones, groupTombstone(groupId)])
    if (errorCode === ErrorCode.NONE) this.#drop(slot)
    else group.state = 'Empty'
    return errorCode
  }

  /** Removes offsets past their retention, and groups that are empty then. */
  async expire(): Promise<void> {
    for (const slot of [...this.#slots.values()]) {
      if (!this.#isOpen) return
      const { group } = slot
      const expired = expiredOffsets(group, this.#config, this.#ports.now())
      const records = expired.map(({ topic, partition }) => offsetRecord(group.groupId, topic, partition, null))
      const kept = allOffsets(group).length - expired.length
      const ends = group.state === 'Empty' && kept === 0 && slot.pendingAppends === 0 && group.pendingMembers.size === 0
      if (ends) records.push(groupTombstone(group.groupId))
      if (records.length === 0) continue
      const errorCode = await this.#appendAll(group.groupId, records)
      if (errorCode !== ErrorCode.NONE) continue
      for (const { topic, partition } of expired) removeOffset(group, topic, partition)
      if (ends && group.state === 'Empty' && slot.pendingAppends === 0) this.#drop(slot)
    }
  }

  /** Forgets the offsets of topics that are gone. */
  async topicsDeleted(topics: ReadonlySet<string>): Promise<void> {
    for (const group of this.groups()) {
      const gone = allOffsets(group).filter(({ topic }) => topics.has(topic))
      if (gone.length === 0) continue
      const records = gone.map(({ topic, partition }) => offsetRecord(group.groupId, topic, partition, null))
      const errorCode = await this.#appendAll(group.groupId, records)
      if (errorCode === ErrorCode.NONE) for (const { topic, partition } of gone) removeOffset(group, topic, partition)
    }
  }

  /** Leadership is lost: whoever waits is sent to look for the new coordinator. */
  close(): void {
    this.#isOpen = false
    for (const slot of this.#slots.values()) for (const timer of slot.timers.values()) timer.cancel()
    this.#slots.clear()
    const parked = [...this.#parked.values()]
    this.#parked.clear()
    for (const resolve of parked) resolve({ kind: 'refused', errorCode: ErrorCode.NOT_COORDINATOR })
  }

  #submit(groupId: string, event: (token: ReplyToken) => GroupEvent, resolve: (reply: GroupReply) => void): void {
    const token = this.#nextToken++
    this.#parked.set(token, resolve)
    this.#run(this.obtain(groupId), event(token))
  }

  #add(group: Group): Slot {
    const slot: Slot = { group, timers: new Map(), pendingAppends: 0 }
    this.#slots.set(group.groupId, slot)
    return slot
  }

  #drop(slot: Slot): void {
    slot.group.state = 'Dead'
    for (const timer of slot.timers.values()) timer.cancel()
    slot.timers.clear()
    if (this.#slots.get(slot.group.groupId) === slot) this.#slots.delete(slot.group.groupId)
  }

  #run(slot: Slot, event: GroupEvent): void {
    const before = slot.group.state
    const effects = step(slot.group, event, this.#config, this.#ports.now())
    for (const effect of effects) this.#carryOut(slot, effect)
    if (slot.group.state !== before) this.#ports.onTransition?.(slot.group)
    this.#forgetIfPristine(slot)
  }

  #carryOut(slot: Slot, effect: GroupEffect): void {
    switch (effect.type) {
      case 'reply': {
        const resolve = this.#parked.get(effect.token)
        this.#parked.delete(effect.token)
        resolve?.(effect.reply)
        return
      }
      case 'schedule':
        this.#schedule(slot, effect.timer, effect.delayMs)
        return
      case 'cancel':
        slot.timers.get(effect.timer)?.cancel()
        slot.timers.delete(effect.timer)
        return
      case 'store':
        void this.#store(slot, effect)
    }
  }

  async #store(slot: Slot, effect: Extract<GroupEffect, { type: 'store' }>): Promise<void> {
    slot.pendingAppends += 1
    const errorCode = await this.#appendGroup(slot.group, effect.assignments)
    slot.pendingAppends -= 1
    if (this.#isOpen) this.#run(slot, { type: 'stored', purpose: effect.purpose, errorCode })
  }

  /** What members sent may not fit into a record; they hear of it, as of any other failure. */
  async #appendGroup(group: Group, assignments: ReadonlyMap<string, Buffer> | null): Promise<ErrorCode> {
    try {
      return groupErrorOf(await this.#ports.append([groupRecord(group, assignments)]))
    } catch (problem) {
      this.#ports.onUnwritable?.(group, problem)
      return ErrorCode.UNKNOWN_SERVER_ERROR
    }
  }

  #schedule(slot: Slot, timer: GroupTimer, delayMs: number): void {
    slot.timers.get(timer)?.cancel()
    const handle = this.#ports.after(delayMs, () => {
      if (slot.timers.get(timer) !== handle) return
      slot.timers.delete(timer)
      this.#run(slot, { type: 'timer', timer })
    })
    slot.timers.set(timer, handle)
  }

  /** A refused join or commit must not leave a group behind that nobody has ever been in. */
  #forgetIfPristine(slot: Slot): void {
    const { group } = slot
    const pristine = group.state === 'Empty' && group.generationId === 0 && group.offsets.size === 0 && group.pendingMembers.size === 0
    if (pristine && slot.pendingAppends === 0) this.#drop(slot)
  }

  async #appendAll(groupId: string, records: readonly CoordinatorRecord[]): Promise<ErrorCode> {
    for (let from = 0; from < records.length; from += TOMBSTONES_PER_APPEND_MAX) {
      const errorCode = await this.append(groupId, records.slice(from, from + TOMBSTONES_PER_APPEND_MAX), () => {})
      if (errorCode !== ErrorCode.NONE) return errorCode
    }
    return ErrorCode.NONE
  }
}

/** What a failed append to `__consumer_offsets` means to a member: look for the coordinator again, or try again. */
function groupErrorOf(errorCode: ErrorCode): ErrorCode {
  switch (errorCode) {
    case ErrorCode.NOT_LEADER_OR_FOLLOWER:
    case ErrorCode.KAFKA_STORAGE_ERROR:
      return ErrorCode.NOT_COORDINATOR
    case ErrorCode.UNKNOWN_TOPIC_OR_PARTITION:
    case ErrorCode.NOT_ENOUGH_REPLICAS:
    case ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND:
    case ErrorCode.REQUEST_TIMED_OUT:
      return ErrorCode.COORDINATOR_NOT_AVAILABLE
    case ErrorCode.MESSAGE_TOO_LARGE:
    case ErrorCode.RECORD_LIST_TOO_LARGE:
      return ErrorCode.INVALID_COMMIT_OFFSET_SIZE
    default:
      return errorCode
  }
}
