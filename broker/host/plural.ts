/** `1 partition`, `3 partitions`: counts in the sentences that people read. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${grouped(count)} ${count === 1 ? one : many}`
}

/** `1,284`, as the screen writes counts and offsets. */
export function grouped(count: number): string {
  return count.toLocaleString('en-US')
}

/** `a, b and 3 others`, or fewer: at most `namedMax` by name. */
export function named(names: readonly string[], namedMax: number): string {
  const left = names.length - namedMax
  if (left > 0) return `${names.slice(0, namedMax).join(', ')} and ${plural(left, 'other')}`
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`
}
