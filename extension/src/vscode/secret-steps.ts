/** Which secrets a cluster gets: stored ones are chosen, others are stored first. */
import type { HitchClient } from '@hitch/contract';
import { secretLines, type SecretEdit, secretNameProblem, toggled } from '../rent/secrets.ts';
import { sentence } from '../sentence.ts';
import { fail } from './messages.ts';
import { ask, pick, type Step } from './wizard.ts';

type Api = Pick<HitchClient, 'api'>;

/** The names that were chosen; what was chosen so far when it was given up. */
export async function chooseSecrets(
  client: Api,
  step: Step,
  first: readonly string[],
): Promise<readonly string[]> {
  let given = first;
  const store = await listed(client);
  let stored = store?.names ?? null;
  let last: string | null = null;
  for (;;) {
    const chosen = await pick<SecretEdit>({
      ...step,
      placeholder: 'Which secrets does it get? Its notebooks and jobs read them as environment variables',
      items: secretLines(stored, given, store?.warning ?? null),
      active: ({ value }) => value.kind === 'toggle' && value.name === last,
    });
    if (chosen.kind !== 'value' || chosen.value.kind === 'done') {
      return given;
    }
    if (chosen.value.kind === 'toggle') {
      last = chosen.value.name;
      given = toggled(given, last);
      continue;
    }
    const added = await addSecret(client, step, stored ?? []);
    if (added !== null) {
      last = null;
      stored = [...(stored ?? []), added];
      given = [...given, added];
    }
  }
}

/** Null, and a message, where the daemon does not say. */
async function listed({ api }: Api) {
  try {
    return await api.secrets.list();
  } catch (error) {
    void fail(`The stored secrets cannot be listed. ${sentence(error)}`);
    return null;
  }
}

/** The name of what was stored; null: nothing was. */
async function addSecret({ api }: Api, step: Step, stored: readonly string[]): Promise<string | null> {
  const name = await ask({
    ...step,
    prompt: 'The secret’s name (becomes an environment variable)',
    placeholder: 'HF_TOKEN',
    check: text => secretNameProblem(text, stored),
  });
  if (name.kind !== 'value') {
    return null;
  }
  const value = await ask({
    ...step,
    prompt: `The value of ${name.value}; it is not shown again`,
    hidden: true,
    check: text => (text === '' ? 'The secret is empty: enter its value.' : null),
  });
  if (value.kind !== 'value') {
    return null;
  }
  try {
    await api.secrets.set({ name: name.value, value: value.value });
    return name.value;
  } catch (error) {
    void fail(`${name.value} could not be stored. ${sentence(error)}`);
    return null;
  }
}
