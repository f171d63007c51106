/** One command's description, and how it becomes part of the program. */
import { HitchError, nearest } from '@hitch/contract';
import type { Command } from 'commander';
import * as z from 'zod';
import type { Context } from './context.ts';
import type { ExitCode } from './exit-codes.ts';

export interface CommandSpec<Schema extends z.ZodType> {
  /** The name and its arguments, such as `show <cluster>`. */
  readonly usage: string;
  readonly summary: string;
  /** Other names that do the same. */
  readonly aliases?: readonly string[];
  /** Programs call it, people do not: it is not in the list of commands. */
  readonly hidden?: boolean;
  /** A command line and what it does. */
  readonly examples: readonly (readonly [string, string])[];
  /** Declares the options; `--json` is there already. */
  readonly options?: (command: Command) => unknown;
  /** Options by their camelCase names and arguments by their own; its messages are sentences for people. */
  readonly schema: Schema;
  readonly run: (context: Context, input: z.output<Schema>) => Promise<ExitCode>;
}

/** Hands a parsed command line to the program's one error handler. */
export type Execute = (json: boolean, run: (context: Context) => Promise<ExitCode>) => Promise<void>;

/** A command ready to be added to a program. */
export type AddCommand = (parent: Command, execute: Execute) => void;

function exampleText(examples: CommandSpec<z.ZodType>['examples']): string {
  const width = Math.max(...examples.map(([line]) => line.length));
  return ['', 'Examples:', ...examples.map(([line, does]) => `  ${line.padEnd(width)}  ${does}`)].join('\n');
}

/** `maxPrice` is typed as `--max-price`; arguments keep their name. */
function flagOf(name: string, argumentNames: readonly string[]): string {
  return argumentNames.includes(name)
    ? name
    : `--${name.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)}`;
}

function parseInput<Schema extends z.ZodType>(
  schema: Schema,
  raw: Record<string, unknown>,
  argumentNames: readonly string[],
): z.output<Schema> {
  const parsed = schema.safeParse(raw);
  if (parsed.success) {
    return parsed.data;
  }
  const issue = parsed.error.issues[0];
  const flag = flagOf(String(issue?.path[0] ?? ''), argumentNames);
  throw new HitchError('BAD_INPUT', `${flag}: ${issue?.message ?? 'is not valid'}`, { field: flag });
}

const jsonFlag = z.object({ json: z.boolean().default(false) });

export function defineCommand<Schema extends z.ZodType>(spec: CommandSpec<Schema>): AddCommand {
  return (parent, execute) => {
    const command = parent
      .command(spec.usage, { hidden: spec.hidden ?? false })
      .aliases([...(spec.aliases ?? [])])
      .description(spec.summary);
    spec.options?.(command);
    command.option('--json', 'print JSON');
    command.addHelpText('after', exampleText(spec.examples));
    command.action(async () => {
      const argumentNames = command.registeredArguments.map(argument => argument.name());
      const given = argumentNames.map((name, index) => [name, command.processedArgs[index]] as const);
      const options = command.optsWithGlobals();
      const raw = { ...options, ...Object.fromEntries(given) };
      await execute(jsonFlag.parse(options).json, async context =>
        spec.run(context, parseInput(spec.schema, raw, argumentNames)),
      );
    });
  };
}

export interface GroupSpec {
  /** The word that stands before its commands, such as `networks`. */
  readonly name: string;
  readonly summary: string;
  /** The first is what the bare word does, with the list of all commands after it. */
  readonly commands: readonly [AddCommand, ...AddCommand[]];
}

/**
 * Commands of one subject. The bare word does what the first of them does; what else there is goes to standard error, so that a
 * program that reads the answer gets nothing else.
 */
export function defineGroup({ name, summary, commands }: GroupSpec): AddCommand {
  return (parent, execute) => {
    const group = parent.command(name).description(summary).option('--json', 'print JSON');
    group.helpCommand(false).usage('[options] [command]').enablePositionalOptions();
    commands.forEach(add => add(group, execute));
    const [first] = group.commands;
    group.allowExcessArguments().action(async () => {
      const [word] = group.args;
      if (word !== undefined) {
        // As Commander says it of a group that does nothing by itself.
        const near = nearest(
          word,
          group.commands.flatMap(command => [command.name(), ...command.aliases()]),
        );
        const meant = near.length === 0 ? '' : `\n(Did you mean ${near[0] ?? ''}?)`;
        group.error(`error: unknown command '${word}'${meant}`, { code: 'commander.unknownCommand' });
      }
      const { json: isJson } = jsonFlag.parse(group.opts());
      await first?.parseAsync(isJson ? ['--json'] : [], { from: 'user' });
      if (!isJson) {
        group.configureOutput().writeErr?.(`\n${group.helpInformation({ error: true })}`);
      }
    });
  };
}
