/** What a cluster's notebooks and jobs run in: Hitch's own packages, or those of a file of this computer, once they are locked. */
import {
  environmentWords,
  lockNotes,
  problemLine,
  type EnvironmentProblem,
  type FoundEnvironments,
  type LockedEnvironment,
  type Offer,
} from '@hitch/contract';
import { nothing, type TemplateResult } from 'lit';
import { html } from '../base/html.ts';
import { selectInput } from '../base/form.ts';
import type { Translate } from '../base/translate.ts';

/** What is to be locked: a file, for the machines and the engine that were chosen. */
export interface WantedPackages {
  /** Absolute, of the daemon's computer. */
  readonly path: string;
  readonly engine: 'single' | 'ray';
  readonly platform: 'linux-x86_64' | 'this-computer';
}

/** What came of it, from the host. */
export interface PackagesLock {
  readonly wanted: WantedPackages;
  /** Null while it is being locked, and where it could not be. */
  readonly environment: LockedEnvironment | null;
  readonly problems: readonly EnvironmentProblem[];
  /** Why nothing could be locked at all; null: no such trouble. */
  readonly failure: string | null;
}

export const isSameWanted = (one: WantedPackages, other: WantedPackages): boolean =>
  one.path === other.path && one.engine === other.engine && one.platform === other.platform;

/** Processes of this computer take packages for its own system; rented machines are Linux. */
export const platformOf = (
  offers: readonly Pick<Offer, 'kind' | 'practice'>[],
): WantedPackages['platform'] =>
  offers.length > 0 && offers.every(({ kind, practice }) => practice || kind === 'process')
    ? 'this-computer'
    : 'linux-x86_64';

export interface PackagesPart {
  readonly t: Translate;
  /** Null: the host finds none. */
  readonly found: FoundEnvironments | null;
  readonly wanted: WantedPackages | null;
  readonly lock: PackagesLock | null;
  readonly problem: string | null;
  readonly choose: (path: string | null) => void;
}

/** The lock of what is wanted now; null: it is not there yet, or of what was wanted before. */
export const lockOf = (wanted: WantedPackages | null, lock: PackagesLock | null): PackagesLock | null =>
  wanted !== null && lock !== null && isSameWanted(wanted, lock.wanted) ? lock : null;

export const isLocking = (wanted: WantedPackages | null, lock: PackagesLock | null): boolean => {
  const present = lockOf(wanted, lock);
  return (
    wanted !== null &&
    (present === null ||
      (present.environment === null && present.problems.length === 0 && present.failure === null))
  );
};

/** Two files of one name are told apart by their folders. */
export function fileWords({ files }: FoundEnvironments, path: string): string {
  const name = files.find(file => file.path === path)?.name ?? path;
  return files.filter(file => file.name === name).length > 1 ? path : name;
}

export function packagesPart(part: PackagesPart): TemplateResult | typeof nothing {
  const { t, found, wanted, lock } = part;
  if (found === null) {
    return nothing;
  }
  const present = lockOf(wanted, lock);
  const problems = present?.problems ?? [];
  return html`<div class="packages">
    ${selectInput({
      id: 'packages',
      label: t('Packages'),
      value: wanted?.path ?? '',
      options: [
        { value: '', words: t('Hitch’s own: Jupyter, Ray and widgets') },
        ...found.files.map(({ path }) => ({ value: path, words: fileWords(found, path) })),
      ],
      help:
        found.files.length === 0
          ? t('No requirements.txt, pyproject.toml, environment.yml or “# /// script” is in this folder')
          : wanted === null
            ? t('Of a file: each package is pinned, and installed before the notebook starts')
            : '',
      problem: part.problem,
      changed: path => part.choose(path === '' ? null : path),
    })}
    <div role="status" class="help quiet">
      ${isLocking(wanted, lock) ? html`<p>${t('Pinning every package…')}</p>` : nothing}
      ${
        present === null || present.environment === null
          ? nothing
          : html`<p>${t('Will be installed: %1', environmentWords(present.environment))}</p>
              ${lockNotes(present.environment).map(note => html`<p>${note}</p>`)}
              <details>
                <summary>${t('All packages')}</summary>
                <pre tabindex="0" aria-label=${t('All packages')}>
${present.environment.packages.map(({ name, version }) => `${name} ${version}`).join('\n')}</pre>
              </details>`
      }
      ${found.notes.map(note => html`<p>${note}</p>`)}
    </div>
    ${
      problems.length === 0 && (present === null || present.failure === null)
        ? nothing
        : html`<div class="note error" role="alert">
            <ul class="offers">
              ${present === null || present.failure === null ? nothing : html`<li>${present.failure}</li>`}
              ${problems.map(problem => html`<li>${problemLine(problem)}</li>`)}
            </ul>
          </div>`
    }
  </div>`;
}
