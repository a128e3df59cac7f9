/** How often a condition is looked at again; the tests wait for conditions, never for a time. */
const POLL_MS = 20
const GIVE_UP_MS = 60_000

/** Resolves with the first truthy answer of `condition`; rejects, naming `what`, when there is none in time. */
export async function until<T>(what: string, condition: () => T | Promise<T>, giveUpMs = GIVE_UP_MS): Promise<NonNullable<T>> {
  const deadline = performance.now() + giveUpMs
  for (;;) {
    const answer = await condition()
    if (answer) return answer
    if (performance.now() > deadline) throw new Error(`waited ${giveUpMs} ms in vain for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}
