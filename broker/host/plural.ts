/** `1 partition`, `3 partitions`: counts in the sentences that people read. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`
}
