/**
 * Ends what a killed owner leaves behind. Nodes end by themselves when the owner's message channel closes, but a stopped
 * (SIGSTOP) process sees nothing. So a shell, costing about a megabyte, holds the read end of a pipe whose write end only the owner
 * has: when the owner dies, however it dies, the shell reads the end of the file and kills every process it was told of.
 *
 * On Windows nothing can be stopped like that, and no watchdog is needed.
 */
import { spawn } from 'node:child_process'

export interface Watchdog {
  watch(pid: number): void
  /** The process was seen to end: its id may be reused from now on. */
  forget(pid: number): void
  /** The owner ends in order; nothing is killed. */
  dismiss(): void
}

const script = `
trap '' INT TERM HUP
pids=' '
while read -r what pid; do
  case $what in
    watch) pids="$pids$pid " ;;
    forget) rest=' '; for one in $pids; do [ "$one" = "$pid" ] || rest="$rest$one "; done; pids=$rest ;;
    dismiss) exit 0 ;;
  esac
done
for one in $pids; do kill -KILL "$one"; done 2>/dev/null
if [ -n "$1" ]; then rm -rf -- "$1" 2>/dev/null || { sleep 0.3; rm -rf -- "$1"; }; fi
`

const nobody: Watchdog = { watch: () => undefined, forget: () => undefined, dismiss: () => undefined }

/** `removeDirectory` goes too when the owner dies: the folder of an ephemeral cluster. */
export function startWatchdog(options: {
  readonly removeDirectory: string | null
  readonly onFailure: (reason: string) => void
}): Watchdog {
  if (process.platform === 'win32') return nobody
  const shell = spawn('/bin/sh', ['-c', script, 'weir-watchdog', options.removeDirectory ?? ''], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
    cwd: '/',
  })
  let isDismissed = false
  const failed = (reason: string): void => {
    if (!isDismissed) options.onFailure(reason)
    isDismissed = true
  }
  shell.on('error', (error) => failed(error.message))
  shell.on('exit', (code, signal) => failed(`it ended with ${signal ?? `code ${code}`}`))
  shell.stdin.on('error', () => undefined)
  shell.unref()
  ;(shell.stdin as typeof shell.stdin & { unref?: () => void }).unref?.()
  const tell = (line: string): void => {
    if (!isDismissed) shell.stdin.write(line)
  }
  return {
    watch: (pid) => tell(`watch ${pid}\n`),
    forget: (pid) => tell(`forget ${pid}\n`),
    dismiss() {
      tell('dismiss\n')
      isDismissed = true
      shell.stdin.end()
    },
  }
}
