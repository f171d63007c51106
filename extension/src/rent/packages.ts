/** Which packages a cluster gets: the lines that are shown, and what a lock brings. */
import type { FoundEnvironments, LockedEnvironment, Offer } from '@hitch/contract';
import { environmentWords } from '@hitch/contract/src/environment-words.ts';

/** A lock that a person chose; null: Hitch's own packages. */
export interface ChosenPackages {
  readonly id: string;
  readonly words: string;
  /** The file, absolute: it is locked again where the engine or the machines are others. */
  readonly path: string;
}

export type PackagesEdit = { readonly kind: 'own' } | { readonly kind: 'file'; readonly path: string };

export interface PackagesLine {
  readonly icon: string;
  readonly label: string;
  readonly description?: string;
  readonly detail?: string;
  readonly value: PackagesEdit;
}

export const packagesWords = (chosen: ChosenPackages | null): string =>
  `Packages: ${chosen?.words ?? 'Hitch’s own'}`;

export const chosenPackages = (environment: LockedEnvironment, path: string): ChosenPackages => ({
  id: environment.id,
  words: environmentWords(environment),
  path,
});

/** @param own whether Hitch's own can be chosen too. */
export const packagesLines = (
  { files }: FoundEnvironments,
  chosen: ChosenPackages | null,
  own = true,
): readonly PackagesLine[] => [
  ...(own
    ? [
        {
          icon: chosen === null ? 'check' : 'circle-large-outline',
          label: 'Hitch’s own packages',
          detail: 'Jupyter, Ray and widgets; the machine is ready soonest',
          value: { kind: 'own' as const },
        },
      ]
    : []),
  ...files.map(({ path, name }) => ({
    icon: chosen?.path === path ? 'check' : 'package',
    label: name,
    description: path,
    value: { kind: 'file' as const, path },
  })),
];

/** Processes of this computer take packages for its own system; rented machines are Linux. */
export const platformOf = (
  offers: readonly Pick<Offer, 'kind' | 'practice'>[],
): 'this-computer' | 'linux-x86_64' =>
  offers.length > 0 && offers.every(({ kind, practice }) => practice || kind === 'process')
    ? 'this-computer'
    : 'linux-x86_64';
