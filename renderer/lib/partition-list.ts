/** Partitions as people type them: `0, 3, 5-7`; everything is null. */
const PARTITIONS_MAX = 10_000

export function partitionListText(partitions: readonly number[] | null): string {
  if (partitions === null) return ''
  const sorted = [...new Set(partitions)].sort((a, b) => a - b)
  const runs: [number, number][] = []
  for (const partition of sorted) {
    const run = runs.at(-1)
    if (run !== undefined && partition === run[1] + 1) run[1] = partition
    else runs.push([partition, partition])
  }
  return runs
    .map(([first, last]) => (first === last ? String(first) : last === first + 1 ? `${first}, ${last}` : `${first}-${last}`))
    .join(', ')
}

/** Null for all of them; a mistake when it cannot be read or names one that is not there. */
export function readPartitionList(text: string, partitionCount: number | null): { partitions: number[] | null } | { mistake: string } {
  const parts = text.split(/[,\s]+/).filter((part) => part !== '')
  if (parts.length === 0 || /^all$/i.test(text.trim())) return { partitions: null }
  const chosen = new Set<number>()
  for (const part of parts) {
    const range = /^(\d{1,9})(?:-(\d{1,9}))?$/.exec(part)
    const first = Number(range?.[1])
    const last = Number(range?.[2] ?? range?.[1])
    if (range === null || last < first || last - first >= PARTITIONS_MAX)
      return { mistake: `Give partitions such as 0, 3, 5-7; ${part.slice(0, 20)} is none.` }
    if (partitionCount !== null && last >= partitionCount)
      return { mistake: partitionCount === 1 ? 'There is only partition 0.' : `There are partitions 0 to ${partitionCount - 1}.` }
    for (let partition = first; partition <= last; partition += 1) chosen.add(partition)
  }
  if (chosen.size > PARTITIONS_MAX) return { mistake: `At most ${PARTITIONS_MAX} partitions at a time.` }
  const partitions = [...chosen].sort((a, b) => a - b)
  return { partitions: partitions.length === partitionCount ? null : partitions }
}
