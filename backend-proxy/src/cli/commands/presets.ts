/** `hitch presets`: what is usually rented, the same lines as in both editors. */
import { presetPriceWords, presetQuery, type PresetList } from '@hitch/contract';
import * as z from 'zod';
import { defineCommand, defineGroup } from '../command.ts';
import type { Context } from '../context.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { writeTable } from '../screen/table.ts';

const json = z.boolean().default(false);
const schema = z.object({ json });

/** What is wrong with the file; the exit code says it too. */
function sayProblems({ io }: Context, { file, problems }: PresetList): ExitCode {
  for (const { line, column, sentence } of problems) {
    io.note(io.styleError('red', `${file}:${line}:${column}`), ` ${sentence}`);
  }
  if (problems.length > 0) {
    io.note('Until it is corrected, the presets are those that Hitch brings.');
  }
  return problems.length > 0 ? EXIT.usage : EXIT.ok;
}

const addList = defineCommand({
  usage: 'ls',
  summary: 'list the presets with what each costs now',
  examples: [['hitch presets', 'then, for one of them: hitch rent --preset vram-24']],
  schema,
  run: async (context, input) => {
    const { api } = await context.session();
    const list = await api.offers.presets();
    if (input.json) {
      context.io.json(list);
      return list.problems.length > 0 ? EXIT.usage : EXIT.ok;
    }
    const rows = await Promise.all(
      list.presets.map(async preset => ({
        preset,
        price: presetPriceWords(preset, await api.offers.query(presetQuery(preset))),
      })),
    );
    writeTable(context.io, rows, [
      { title: 'PRESET', priority: 1, cell: ({ preset }) => preset.id },
      { title: 'WHAT', priority: 2, cell: ({ preset }) => preset.label },
      { title: 'PRICE NOW', priority: 1, cell: ({ price }) => price },
    ]);
    return sayProblems(context, list);
  },
});

const addEdit = defineCommand({
  usage: 'edit',
  summary: 'write the presets into a file, where there is none yet, and say where it is',
  examples: [['$EDITOR "$(hitch presets edit)"', 'opens the file']],
  schema,
  run: async (context, input) => {
    const { api } = await context.session();
    const present = await api.offers.presets();
    const list = present.problems.length > 0 ? present : await api.offers.keepPresets({ text: present.text });
    if (input.json) {
      context.io.json(list);
      return EXIT.ok;
    }
    context.io.line(list.file);
    sayProblems(context, list);
    return EXIT.ok;
  },
});

const addReset = defineCommand({
  usage: 'reset',
  summary: 'remove the file: the presets are those that Hitch brings',
  examples: [['hitch presets reset', 'what stood in the file is gone']],
  schema,
  run: async ({ io, session }, input) => {
    const { api } = await session();
    const list = await api.offers.keepPresets({ text: null });
    if (input.json) {
      io.json(list);
    } else {
      io.line(`Removed ${list.file}.`);
    }
    return EXIT.ok;
  },
});

export const addPresets = defineGroup({
  name: 'presets',
  summary: 'what you usually rent, in one line each',
  commands: [addList, addEdit, addReset],
});
