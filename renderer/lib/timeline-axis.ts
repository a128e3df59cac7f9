import { timelineLanes, type TimelineLane, type TimelineMark, type TimelineMarks } from '../../broker/contract/timeline.ts'
import { lanePhrases } from './activity-phrases.ts'
import { formatCount } from './format.ts'
import { axisTime, formatSecondOfDay, formatTimestamp } from './time.ts'

/** Geometry and words of the time axis: lanes from top to bottom, the past on the left. */
export const axisSpans = [
  { label: '15 min', value: 15 * 60_000 },
  { label: '1 h', value: 3_600_000 },
  { label: '6 h', value: 6 * 3_600_000 },
  { label: '1 d', value: 24 * 3_600_000 },
  { label: '7 d', value: 7 * 24 * 3_600_000 },
  { label: '30 d', value: 30 * 24 * 3_600_000 },
] as const

export const LANE_HEIGHT = 17
export const axisHeight = timelineLanes.length * LANE_HEIGHT

export interface DrawnMark {
  key: string
  x: number
  y: number
  width: number
  height: number
  isLoss: boolean
  lane: TimelineLane
}

const MARK_HEIGHT_MIN = 5
const MARK_HEIGHT_MAX = 13
const MARK_WIDTH_MIN = 3

/** A mark is as high as there are lines in its slot, on a scale that one line and thousands fit on. */
export function drawMarks({ marks, slotMs, fromMs, toMs }: TimelineMarks, width: number): DrawnMark[] {
  const slotWidth = (width * slotMs) / Math.max(1, toMs - fromMs)
  return marks.map((mark) => {
    const height = Math.min(MARK_HEIGHT_MAX, MARK_HEIGHT_MIN + Math.log2(mark.count) * 2)
    return {
      key: `${mark.lane}-${mark.slot}`,
      x: mark.slot * slotWidth,
      y: timelineLanes.indexOf(mark.lane) * LANE_HEIGHT + (LANE_HEIGHT - height) / 2,
      width: Math.max(MARK_WIDTH_MIN, slotWidth - 1),
      height,
      isLoss: mark.isLoss,
      lane: mark.lane,
    }
  })
}

const tickSteps = [
  60_000, 120_000, 300_000, 600_000, 1_800_000, 3_600_000, 7_200_000, 14_400_000, 43_200_000, 86_400_000, 172_800_000, 432_000_000,
]
const TICK_WIDTH_MIN = 90

/** Round moments, as many as there is room for. */
export function axisTicks({ fromMs, toMs }: Pick<TimelineMarks, 'fromMs' | 'toMs'>, width: number): { x: number; text: string }[] {
  const spanMs = Math.max(1, toMs - fromMs)
  const stepMs = tickSteps.find((step) => (width * step) / spanMs >= TICK_WIDTH_MIN) ?? (tickSteps.at(-1) as number)
  // Ticks stand on round moments of the clock on the wall.
  const zoneMs = -new Date(toMs).getTimezoneOffset() * 60_000
  const ticks: { x: number; text: string }[] = []
  for (let at = Math.ceil((fromMs + zoneMs) / stepMs) * stepMs - zoneMs; at < toMs; at += stepMs) {
    ticks.push({ x: ((at - fromMs) / spanMs) * width, text: axisTime(at, stepMs) })
  }
  return ticks
}

export function slotAt(x: number, width: number, { fromMs, toMs, slotMs }: TimelineMarks): number {
  const count = Math.round((toMs - fromMs) / slotMs)
  return Math.min(count - 1, Math.max(0, Math.floor((x / Math.max(1, width)) * count)))
}

/** The next slot with a mark in that direction; the same when there is none. */
export function nextMarkedSlot(marks: readonly TimelineMark[], slot: number, step: 1 | -1): number {
  const slots = marks.map((mark) => mark.slot)
  const beyond = slots.filter((candidate) => (step > 0 ? candidate > slot : candidate < slot))
  if (beyond.length === 0) return slot
  return step > 0 ? Math.min(...beyond) : Math.max(...beyond)
}

/** `14:03:00 to 14:04:00: 2 changes of leaders, 1 change of in-sync sets`. */
export function slotText({ fromMs, slotMs, marks }: TimelineMarks, slot: number): string {
  const startMs = fromMs + slot * slotMs
  const inSlot = timelineLanes.flatMap((lane) => marks.filter((mark) => mark.slot === slot && mark.lane === lane))
  const what = inSlot.map(({ lane, count }) => `${formatCount(count)} ${count === 1 ? lanePhrases[lane].one : lanePhrases[lane].many}`)
  return `${formatTimestamp(startMs).slice(5, 19)} to ${formatSecondOfDay(startMs + slotMs)}: ${what.length === 0 ? 'nothing' : what.join(', ')}`
}
