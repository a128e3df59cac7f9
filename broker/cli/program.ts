import { Command, InvalidArgumentError, Option } from 'commander'
import packageJson from '../../package.json' with { type: 'json' }
import type { ClusterFlags, ProgramHooks, ServeFlags } from './flags.ts'

/** Parsing throws a CommanderError: code 0 for help and version, anything else after one line on stderr. */
export function createProgram(hooks: ProgramHooks): Command {
  const program = new Command('weir')
    .description('A Kafka console with a real cluster inside.')
    .version(packageJson.version)
    .helpCommand(false)
    .configureOutput({
      outputError: (text, write) =>
        write(
          `weir: ${text
            .replace(/^error: /, '')
            .trim()
            .replaceAll(/\s*\n\s*/g, ' ')}\n`,
        ),
    })
    .exitOverride()
  const command = (name: string): Command => clusterCommand(program, name)

  command('up')
    .description('run a cluster in the foreground until interrupted')
    .option('--json', 'print one line of JSON when ready, nothing else')
    .addHelpText('after', '\nEnd it with Ctrl-C, or SIGTERM to the process whose pid --json prints.')
    .action(async (flags: ClusterFlags) => (await import('./up.ts')).up(flags, hooks))

  command('serve')
    .description('run a cluster and serve the console to a browser')
    .option('--host-port <port>', 'port of the console on 127.0.0.1 (default: any free one)', port)
    .option('--open', "open the console in the system's browser")
    .option('--json', 'print one line of JSON when ready, nothing else')
    .action(async (flags: ServeFlags) => (await import('./serve.ts')).serve(flags, hooks))

  return program
}

function clusterCommand(program: Command, name: string): Command {
  return program
    .command(name)
    .option('--brokers <count>', 'number of brokers (default: 3, or as many as the folder has; more adds some)', count)
    .option(
      '--controllers <count>',
      'voters of the quorum: 1, 3 or 5, fixed when the folder is formatted (default: 3, or 1 with fewer than 3 brokers)',
      voters,
    )
    .option('--combined', 'run the voters inside the broker processes, fixed when the folder is formatted')
    .option('--port <port>', "first broker's port, the others follow; 0 takes any (default: 9092 or the next free block)", port)
    .addOption(
      new Option('--data-dir <folder>', "the cluster's folder, created when absent (default: in the profile)").conflicts('ephemeral'),
    )
    .option('--ephemeral', 'use a temporary folder and remove it at the end')
    .addOption(new Option('--restart <policy>', 'what to do when a node ends unasked').choices(['never', 'on-failure']).default('never'))
    .option('--demo', 'run the sample workload: trucks reporting their positions')
    .allowExcessArguments(false)
}

function count(text: string): number {
  const value = wholeNumber(text)
  if (value === null || value < 1 || value > 100) throw new InvalidArgumentError('Allowed is a whole number from 1 to 100.')
  return value
}

function voters(text: string): number {
  const value = wholeNumber(text)
  if (value !== 1 && value !== 3 && value !== 5) throw new InvalidArgumentError('A quorum has 1, 3 or 5 voters.')
  return value
}

function port(text: string): number {
  const value = wholeNumber(text)
  if (value === null || value > 65_535) throw new InvalidArgumentError('Allowed is a whole number from 0 to 65535.')
  return value
}

function wholeNumber(text: string): number | null {
  return /^\d{1,9}$/.test(text) ? Number(text) : null
}
