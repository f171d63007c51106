/** The values of a login, a line each. Secret ones are not shown; all go to the daemon and nowhere else. */
import type { NetworkInfo } from '@hitch/contract';
import { ask } from './wizard.ts';

/** Null: given up. */
export async function askForLogin({ title, login }: NetworkInfo): Promise<Record<string, string> | null> {
  const fields = login?.fields ?? [];
  const advice = (login?.scopes ?? []).map(({ scope, why }) => `The key needs ${scope}: ${why}`);
  const values: Record<string, string> = {};
  for (let index = 0; index < fields.length;) {
    const field = fields[index];
    if (field === undefined) {
      break;
    }
    const { name, label, secret, help, url } = field;
    const answer = await ask({
      title: `Log in to ${title}`,
      step: index + 1,
      totalSteps: fields.length,
      prompt: [label, help, url, ...advice]
        .filter(line => line !== null)
        .join('. ')
        .replaceAll('..', '.'),
      hidden: secret,
      ...(secret ? {} : { value: values[name] ?? '' }),
      check: text => (text.trim() === '' ? `Enter the ${label}.` : null),
    });
    if (answer.kind === 'cancel') {
      return null;
    }
    if (answer.kind === 'back') {
      index -= 1;
    } else {
      // A key that is copied from a page often brings its line's end along.
      values[name] = answer.value.trim();
      index += 1;
    }
  }
  return values;
}
