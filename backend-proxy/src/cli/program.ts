/** Builds the program from its commands and runs one command line. */
import { Command, CommanderError, Help } from 'commander';
import type { CliDeps, Context } from './context.ts';
import { addAdopt } from './commands/adopt.ts';
import { addApprove } from './commands/approve.ts';
import { addCost } from './commands/cost.ts';
import { addCp } from './commands/cp.ts';
import { addDaemon } from './commands/daemon.ts';
import { addDoctor } from './commands/doctor.ts';
import { addEnv } from './commands/env.ts';
import { addExtend } from './commands/extend.ts';
import { addJob } from './commands/job.ts';
import { addKernels } from './commands/kernels.ts';
import { addLiveCheck } from './commands/live-check.ts';
import { addLogs } from './commands/logs.ts';
import { addLs } from './commands/ls.ts';
import { addNetworks } from './commands/networks.ts';
import { addOffers } from './commands/offers.ts';
import { addOpen } from './commands/open.ts';
import { addPorts } from './commands/ports.ts';
import { addPresets } from './commands/presets.ts';
import { addRent } from './commands/rent.ts';
import { addReport } from './commands/report.ts';
import { addRm } from './commands/rm.ts';
import { addRun } from './commands/run.ts';
import { addSecrets } from './commands/secrets.ts';
import { addShow } from './commands/show.ts';
import { addSsh } from './commands/ssh.ts';
import { addSshConfig } from './commands/ssh-config.ts';
import { addSshProxy } from './commands/ssh-proxy.ts';
import { addStart } from './commands/start.ts';
import { addStop } from './commands/stop.ts';
import { addUrl } from './commands/url.ts';
import { addWsConnect } from './commands/ws-connect.ts';
import { addTemplate } from './commands/template.ts';
import { addTop } from './commands/top.ts';
import type { AddCommand, Execute } from './command.ts';
import { EXIT, exitCodesHelp, type ExitCode } from './exit-codes.ts';
import { packagesHelp } from './packages-help.ts';
import { withVerbatimCommand } from './jobs/verbatim.ts';
import { reportFailure } from './report-failure.ts';
import { Io } from './screen/io.ts';
import type { Session } from '@hitch/client-node/src/session.ts';
import { VERSION } from '@hitch/platform/src/version.ts';

/** By what somebody is about to do, in the order in which they come to it. */
const COMMANDS: ReadonlyMap<string, readonly AddCommand[]> = new Map([
  ['Rent and end:', [addOffers, addPresets, addRent, addStart, addApprove, addExtend, addStop, addRm]],
  ['See what there is:', [addLs, addShow, addTop, addLogs, addCost]],
  [
    'Work on a cluster:',
    [
      addRun,
      addJob,
      addEnv,
      addKernels,
      addOpen,
      addPorts,
      addCp,
      addSsh,
      addSshConfig,
      addSshProxy,
      addUrl,
      addWsConnect,
    ],
  ],
  ['Say what runs, and on what:', [addTemplate]],
  ['Accounts and machines:', [addNetworks, addAdopt, addLiveCheck, addSecrets]],
  ['Hitch itself:', [addDoctor, addReport, addDaemon]],
]);

const FIRST_STEPS = `
First steps:
  hitch offers             what there is to rent; nothing is bought
  hitch rent --practice    a cluster on this computer, free, to try everything with
  hitch networks           where you can rent for real, and how to log in there

More: hitch help <command>, hitch help packages, hitch help exit-codes
`;

function newContext(deps: CliDeps, io: Io): { context: Context; close: () => Promise<void> } {
  let session: Promise<Session> | null = null;
  return {
    context: { ...deps, io, session: () => (session ??= deps.daemons.connect()) },
    close: async () => {
      const opened = await session?.catch(() => null);
      await opened?.close();
    },
  };
}

/** Settings are inherited by subcommands only when they are set before these are added. */
function newProgram(io: Io): Command {
  const program = new Command('hitch');
  program
    .description('Rent GPUs from decentralised networks and use them without leaving the notebook.')
    .version(VERSION, '-v, --version')
    .exitOverride()
    .configureOutput({
      writeOut: text => io.page(text),
      writeErr: text => io.page(text, 'error'),
      // Commander's own failures are reported by the same handler as all others.
      outputError: () => undefined,
      getOutHelpWidth: () => io.width ?? 100,
      getErrHelpWidth: () => io.stderr.columns ?? 100,
    })
    .configureHelp({
      // What a group can be followed by is a command of its own, not options.
      subcommandTerm: command =>
        command.commands.length > 0 ? `${command.name()} [command]` : new Help().subcommandTerm(command),
    })
    .helpCommand(false)
    .addHelpText('after', FIRST_STEPS);
  return program;
}

const PAGES: ReadonlyMap<string, string> = new Map([
  ['exit-codes', exitCodesHelp],
  ['packages', packagesHelp],
]);

function addHelp(program: Command, io: Io): void {
  program
    .command('help [topic...]')
    .description('show help for a command, on packages or on exit codes')
    .action((topics: string[]) => {
      const page = topics.length === 1 ? PAGES.get(topics[0] ?? '') : undefined;
      if (page !== undefined) {
        io.page(page);
        return;
      }
      const command = topics.reduce<Command | undefined>(
        (found, topic) => found?.commands.find(candidate => candidate.name() === topic),
        program,
      );
      if (command === undefined) {
        program.error(`error: unknown command '${topics.join(' ')}'`);
      } else {
        command.outputHelp();
      }
    });
}

/** What other programs call what a command here does. */
const SYNONYMS: ReadonlyMap<string, string> = new Map([
  ['status', 'ls'],
  ['ps', 'ls'],
  ['create', 'rent'],
  ['launch', 'rent'],
  ['up', 'rent'],
  ['delete', 'stop'],
  ['destroy', 'stop'],
  ['terminate', 'stop'],
  ['down', 'stop'],
  ['exec', 'run'],
  ['scp', 'cp'],
  ['copy', 'cp'],
  ['search', 'offers'],
  ['prices', 'offers'],
]);

/** With the command that was meant where another program's word was typed. */
function unknownCommand(message: string, isFirst: (name: string) => boolean): string {
  const [, name = ''] = /^unknown command '([^']*)'/.exec(message) ?? [];
  const meant = isFirst(name) ? SYNONYMS.get(name) : undefined;
  return meant === undefined ? message : `unknown command '${name}' (Did you mean ${meant}?)`;
}

function usageFailure(io: Io, error: CommanderError, argv: readonly string[]): ExitCode {
  const json = argv.includes('--json');
  if (error.exitCode === 0) {
    return EXIT.ok;
  }
  const message = unknownCommand(
    error.message.replace(/^error: /, '').replace(/\n/g, ' '),
    // A command of a group, such as hitch secrets, has words of its own.
    name => argv.find(word => !word.startsWith('-')) === name,
  );
  const sentence = `${message.charAt(0).toUpperCase()}${message.slice(1)}${/[.?)]$/.test(message) ? '' : '.'}`;
  const next = 'See hitch help, or --help after a command.';
  // Without a command, commander has shown the help already.
  if (error.code !== 'commander.help') {
    if (json) {
      io.jsonNote({ code: 'BAD_INPUT', message: sentence, retryable: false, next });
    } else {
      io.note(io.styleError('red', 'hitch:'), ` ${sentence}`);
      io.note(next);
    }
  }
  return EXIT.usage;
}

/** The program with all of its commands. */
export function programOf(io: Io, execute: Execute): Command {
  const program = newProgram(io);
  for (const [heading, adds] of COMMANDS) {
    program.commandsGroup(heading);
    adds.forEach(add => add(program, execute));
  }
  addHelp(program, io);
  return program;
}

/** Runs one command line (without the program's name). @returns the exit code. */
export async function runCli(argv: readonly string[], deps: CliDeps): Promise<ExitCode> {
  const io = new Io(deps);
  let exitCode: ExitCode = EXIT.ok;
  const execute: Execute = async (json, run) => {
    const { context, close } = newContext(deps, io);
    try {
      exitCode = await run(context);
    } catch (error) {
      exitCode = reportFailure(io, error, json);
    } finally {
      await close();
    }
  };
  try {
    await programOf(io, execute).parseAsync([...withVerbatimCommand(argv)], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) {
      return usageFailure(io, error, argv);
    }
    throw error;
  }
}
