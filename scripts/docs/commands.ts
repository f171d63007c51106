/** The page with every command, as its own `--help` says it. */
import { PassThrough } from 'node:stream';
import { systemClock } from '@hitch/platform/src/clock.ts';
import { createIds, systemRandom } from '@hitch/platform/src/random.ts';
import type { CliDeps } from '../../backend-proxy/src/cli/context.ts';
import { programOf, runCli } from '../../backend-proxy/src/cli/program.ts';
import { Io } from '../../backend-proxy/src/cli/screen/io.ts';

type Program = ReturnType<typeof programOf>;

/** Nobody there: help asks no daemon. */
const nobody = (): Promise<never> => Promise.reject(new Error('Help needs no daemon.'));

function helpDeps(stdout: PassThrough): CliDeps {
  const random = systemRandom;
  return {
    stdin: new PassThrough(),
    stdout,
    stderr: new PassThrough(),
    // Without colours, and as wide as on any pipe.
    env: {},
    cwd: '/',
    clock: systemClock,
    random,
    ids: createIds(systemClock, random),
    daemons: { connect: nobody, status: nobody, stop: nobody, runForeground: nobody },
    interrupts: { listen: () => () => undefined },
    browser: () => Promise.resolve(false),
  };
}

async function helpOf(words: readonly string[]): Promise<string> {
  const stdout = new PassThrough();
  const chunks: Buffer[] = [];
  stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  await runCli(words, helpDeps(stdout));
  return Buffer.concat(chunks).toString('utf8').trimEnd();
}

/** The words of each command, in the order of the help; those that programs call are left out. */
function commandsOf(program: Program, before: readonly string[] = []): (readonly string[])[] {
  return program
    .createHelp()
    .visibleCommands(program)
    .filter(command => command.name() !== 'help')
    .flatMap(command => {
      const words = [...before, command.name()];
      return [words, ...commandsOf(command, words)];
    });
}

const block = (text: string): string => `\`\`\`text\n${text}\n\`\`\``;

export async function commandsPage(): Promise<string> {
  const program = programOf(new Io(helpDeps(new PassThrough())), () => Promise.resolve());
  const sections: string[] = [];
  for (const words of commandsOf(program)) {
    sections.push(`${'#'.repeat(words.length + 1)} hitch ${words.join(' ')}`);
    sections.push(block(await helpOf([...words, '--help'])));
  }
  return [
    '# Commands',
    'What `--help` prints. Every command takes `--json` for programs; [exit codes](errors.md#exit-codes) say how it went.',
    block(await helpOf(['--help'])),
    ...sections,
    '## Packages on a cluster',
    `${block(await helpOf(['help', 'packages']))}\n`,
  ].join('\n\n');
}
