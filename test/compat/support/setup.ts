import { spawnSync } from 'node:child_process'

/** Says in one line what is missing, instead of failing every test. */
export default function setup(): void {
  if (spawnSync('kcat', ['-V']).error === undefined) return
  throw new Error('kcat is not installed, and these tests compare against it. On Debian: apt-get update && apt-get install -y kcat')
}
