/** Which stored secrets a cluster gets: the lines that are shown, and what may be typed. Values are never shown. */
import { secretNameSchema } from '@hitch/contract';

/** What a line of the list does. */
export type SecretEdit =
  { readonly kind: 'done' } | { readonly kind: 'add' } | { readonly kind: 'toggle'; readonly name: string };

export interface SecretLine {
  readonly icon: string;
  readonly label: string;
  readonly description?: string;
  readonly detail?: string;
  readonly value: SecretEdit;
}

/** `Secrets: none`, `Secrets: HF_TOKEN, WANDB_KEY`. */
export const secretWords = (given: readonly string[]): string =>
  `Secrets: ${given.length === 0 ? 'none' : given.join(', ')}`;

/**
 * @param stored null: not known, because the daemon could not say.
 * @param warning what is to be known of the place where they lie.
 * @param given in their order; one that is stored no more is shown too, so that it can be taken out.
 */
export function secretLines(
  stored: readonly string[] | null,
  given: readonly string[],
  warning: string | null,
): readonly SecretLine[] {
  const known = [...new Set([...(stored ?? []), ...given])].sort();
  return [
    {
      icon: 'arrow-right',
      label: 'Back to the limits',
      description: secretWords(given),
      value: { kind: 'done' },
    },
    ...known.map(name => ({
      icon: given.includes(name) ? 'check' : 'circle-large-outline',
      label: name,
      description: given.includes(name) ? 'the cluster gets it' : 'the cluster does not get it',
      ...(stored?.includes(name) === false ? { detail: 'It is not stored on this computer' } : {}),
      value: { kind: 'toggle' as const, name },
    })),
    {
      icon: 'add',
      label: 'Add a secret…',
      detail: warning ?? 'Stored on this computer; a cluster gets it only if you choose it when renting',
      value: { kind: 'add' },
    },
  ];
}

/** What is given once a line was chosen. */
export const toggled = (given: readonly string[], name: string): readonly string[] =>
  given.includes(name) ? given.filter(other => other !== name) : [...given, name];

/** Why a secret cannot be stored by this name, or null. What is stored is not written over from here. */
export function secretNameProblem(name: string, stored: readonly string[]): string | null {
  if (!secretNameSchema.safeParse(name).success) {
    return 'A secret is an environment variable: capital letters, digits and underscores, such as HF_TOKEN.';
  }
  return stored.includes(name)
    ? `There is a secret ${name}: choose it from the list, or store another value with “hitch secrets set ${name}”.`
    : null;
}
