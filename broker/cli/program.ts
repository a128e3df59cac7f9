import { Command, InvalidArgumentError, Option } from 'commander'
import packageJson from '../../package.json' with { type: 'json' }
import { parseAdvertised } from '../runtime/advertise.ts'
import type { ClusterFlags, ServeFlags } from './flags.ts'

/** What each command does with its options once they are found to make sense. */
export interface Commands {
  up(flags: ClusterFlags): Promise<void> | void
  serve(flags: ServeFlags): Promise<void> | void
}

/**
 * Runs the command that the arguments name; without any it is help. Rejects with a CommanderError: code 0 after help and version, anything
 * else after one line on stderr; and with what the command itself rejects with.
 */
export async function runProgram(parameters: readonly string[], commands: Commands): Promise<void> {
  await createProgram(commands).parseAsync(parameters.length === 0 ? ['--help'] : [...parameters], { from: 'user' })
}

function createProgram(commands: Commands): Command {
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
    .action((flags: ClusterFlags, itself: Command) => {
      checkTogether(flags, itself)
      return commands.up(flags)
    })

  command('serve')
    .description('run a cluster and serve the console to a browser')
    .option('--host-port <port>', 'port of the console on 127.0.0.1 (default: any free one)', port)
    .option('--open', "open the console in the system's browser")
    .option('--json', 'print one line of JSON when ready, nothing else')
    .addHelpText('after', '\nOn a folder that another Weir runs, the console looks at that one.')
    .action((flags: ServeFlags, itself: Command) => {
      checkTogether(flags, itself)
      return commands.serve(flags)
    })

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
    .option(
      '--advertise <host[:port]>',
      'let containers and other machines connect, by this name or address; may be repeated (ports from 19092, or the next free block)',
      advertised,
    )
    .addOption(
      new Option('--data-dir <folder>', "the cluster's folder, created when absent (default: in the profile)")
        .argParser(folder)
        .conflicts('ephemeral'),
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

function folder(text: string): string {
  if (text.trim() === '') throw new InvalidArgumentError('Name a folder.')
  return text
}

function advertised(text: string, before: readonly string[] = []): readonly string[] {
  try {
    parseAdvertised(text)
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : String(error))
  }
  return [...before, text]
}

/** What is wrong only in company is said before anything is opened, too. */
function checkTogether({ port: first = 0, brokers = 1 }: ClusterFlags, command: Command): void {
  if (first + brokers - 1 > 65_535) command.error(`error: ${brokers} brokers do not fit at port ${first}: ports end at 65535.`)
}

function wholeNumber(text: string): number | null {
  return /^\d{1,9}$/.test(text) ? Number(text) : null
}
