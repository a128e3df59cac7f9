/** Where everything stands in the drawing of a cluster: controllers in a row on top, brokers below in as many rows as they need. */
export interface Box {
  id: number
  x: number
  y: number
  width: number
  height: number
}

export interface ClusterLayout {
  controllers: Box[]
  brokers: Box[]
  height: number
}

const GAP = 12
const PADDING = 12
const CONTROLLER = { width: 148, height: 42 }
const BROKER = { minWidth: 168, maxWidth: 280, height: 104 }
const LINK_HEIGHT = 40

export function clusterLayout(width: number, controllerIds: readonly number[], brokerIds: readonly number[]): ClusterLayout {
  const inner = Math.max(200, width - PADDING * 2)
  const controllers = row(controllerIds, inner, { width: CONTROLLER.width, height: CONTROLLER.height, y: PADDING })
  const top = controllerIds.length === 0 ? PADDING : PADDING + CONTROLLER.height + LINK_HEIGHT
  const perRow = Math.max(1, Math.min(brokerIds.length, Math.floor((inner + GAP) / (BROKER.minWidth + GAP))))
  const brokerWidth = Math.min(BROKER.maxWidth, (inner - GAP * (perRow - 1)) / perRow)
  const brokers: Box[] = []
  for (let start = 0; start < brokerIds.length; start += perRow) {
    const y = top + (start / perRow) * (BROKER.height + GAP)
    brokers.push(...row(brokerIds.slice(start, start + perRow), inner, { width: brokerWidth, height: BROKER.height, y }))
  }
  const rows = Math.max(1, Math.ceil(brokerIds.length / perRow))
  return { controllers, brokers, height: top + rows * (BROKER.height + GAP) - GAP + PADDING }
}

function row(ids: readonly number[], inner: number, box: { width: number; height: number; y: number }): Box[] {
  const width = Math.min(box.width, (inner - GAP * (ids.length - 1)) / Math.max(1, ids.length))
  const total = ids.length * width + Math.max(0, ids.length - 1) * GAP
  const left = PADDING + Math.max(0, (inner - total) / 2)
  return ids.map((id, index) => ({ id, x: left + index * (width + GAP), y: box.y, width, height: box.height }))
}

/** A line that leaves a box downwards and arrives at another from above. */
export function linkPath(from: Box, to: Box): string {
  const startX = from.x + from.width / 2
  const startY = from.y + from.height
  const endX = to.x + to.width / 2
  const middleY = (startY + to.y) / 2
  return `M${startX},${startY}C${startX},${middleY} ${endX},${middleY} ${endX},${to.y}`
}
