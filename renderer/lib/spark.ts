export interface SparkPath {
  line: string
  area: string
}

/** A polyline through evenly spaced values, from zero at the bottom to the largest value at the top. */
export function sparkPath(values: readonly number[], width: number, height: number): SparkPath {
  if (values.length < 2) return { line: '', area: '' }
  const largest = Math.max(...values, 1e-9)
  const step = width / (values.length - 1)
  const points = values.map((value, index) => `${(index * step).toFixed(1)},${(height - 1 - (value / largest) * (height - 2)).toFixed(1)}`)
  const line = `M${points.join('L')}`
  return { line, area: `${line}L${width},${height}L0,${height}Z` }
}
