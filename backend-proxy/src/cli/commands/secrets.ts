/** `hitch secrets`: names and values that clusters may be given. */
import { HitchError, secretNameSchema } from '@hitch/contract';
import * as z from 'zod';
import { defineCommand, defineGroup } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { askHidden } from '../screen/prompt.ts';

const json = z.boolean().default(false);

const addList = defineCommand({
  usage: 'ls',
  summary: 'list the names of the stored secrets (values are never shown)',
  examples: [['hitch secrets ls', 'names, and where they are kept']],
  schema: z.object({ json }),
  run: async ({ io, session }, input) => {
    const { api } = await session();
    const store = await api.secrets.list();
    if (input.json) {
      io.json(store);
      return EXIT.ok;
    }
    io.line(
      `Kept in ${store.kind === 'keychain' ? "this computer's keychain" : 'a file only you can read'}.`,
    );
    if (store.warning !== null) {
      io.note(io.styleError('yellow', store.warning));
    }
    store.names.forEach(name => io.line(name));
    return EXIT.ok;
  },
});

const addSet = defineCommand({
  usage: 'set <name>',
  summary: 'store a secret; asks for its value, or reads it from standard input',
  examples: [
    ['hitch secrets set HF_TOKEN', 'asks for the value without showing it'],
    ['hitch secrets set HF_TOKEN < token.txt', 'takes it from a file'],
  ],
  schema: z.object({ name: secretNameSchema, json }),
  run: async ({ io, session }, { name, json: asJson }) => {
    const value = await askHidden(io, `Value of ${name} (not shown): `);
    if (value === '') {
      throw new HitchError('BAD_INPUT', `No value was given for ${name}; nothing was stored.`);
    }
    const { api } = await session();
    await api.secrets.set({ name, value });
    if (asJson) {
      io.json({ stored: name });
    } else {
      io.line(`Stored ${name}. Give it to a cluster with hitch rent --secret ${name}.`);
    }
    return EXIT.ok;
  },
});

const addRemove = defineCommand({
  usage: 'rm <name>',
  summary: 'remove a secret',
  examples: [['hitch secrets rm HF_TOKEN', 'clusters that have it keep it until they stop']],
  schema: z.object({ name: secretNameSchema, json }),
  run: async ({ io, session }, { name, json: asJson }) => {
    const { api } = await session();
    await api.secrets.remove({ name });
    if (asJson) {
      io.json({ removed: name });
    } else {
      io.line(`Removed ${name}.`);
    }
    return EXIT.ok;
  },
});

export const addSecrets = defineGroup({
  name: 'secrets',
  summary: 'store tokens and passwords to give to clusters',
  commands: [addList, addSet, addRemove],
});
