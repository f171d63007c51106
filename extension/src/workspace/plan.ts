/** What opening a workspace comes to, decided from what the daemon and the editor say. Nothing is asked or done here. */
import type { SshAccess, SshCheck, SshConfigState } from '@hitch/contract';
import { HitchError } from '@hitch/contract/src/errors.ts';
import type { SshExtension } from './editors.ts';
import { workspaceAddress } from './authority.ts';

export type Step =
  /** No SSH extension here: a terminal, and the command to take elsewhere. */
  | {
      readonly do: 'terminal';
      readonly host: string;
      readonly command: readonly string[];
      readonly shown: string;
    }
  /** A person has to agree that their file is changed. */
  | { readonly do: 'ask'; readonly question: string; readonly detail: string; readonly yes: string }
  /** `ssh` reads something else than was written. */
  | { readonly do: 'warn'; readonly sentence: string; readonly detail: string; readonly yes: string }
  | { readonly do: 'open'; readonly address: string };

export interface Known {
  readonly access: SshAccess;
  readonly config: SshConfigState;
  readonly editor: SshExtension | null;
  /** What `ssh -G` said; null before it was asked, which is once the line is there. */
  readonly check: SshCheck | null;
  /** The person wants it although `ssh` differs. */
  readonly anyway?: boolean;
}

/** The next step. @throws HitchError with a sentence where there is none. */
export function nextStep({ access, config, editor, check, anyway = false }: Known): Step {
  if (access.state !== 'available') {
    throw new HitchError('CONFLICT', access.message);
  }
  if (editor === null) {
    const command = sshCommand(access, config);
    return { do: 'terminal', host: access.alias, command, shown: shownCommand(command) };
  }
  if (config.problem !== '' && !config.included) {
    throw new HitchError('CONFLICT', config.problem);
  }
  if (!config.included) {
    return {
      do: 'ask',
      question: `Let ${editor.title} find your clusters?`,
      detail: [
        `Hitch puts one line at the top of ${config.userFile}, and changes nothing else there:`,
        config.includeLine,
        'The hosts themselves are in Hitch’s own file, and are removed when their cluster stops.',
      ].join('\n'),
      yes: 'Add the Line',
    };
  }
  if (check !== null && !check.ok && !anyway) {
    return {
      do: 'warn',
      sentence: `ssh does not read ${access.alias} as Hitch wrote it.`,
      detail: check.differences.join('\n'),
      yes: 'Open Anyway',
    };
  }
  return { do: 'open', address: workspaceAddress(access.alias, access.workFolder) };
}

/** The words of a command line; with our own configuration named until the user's leads to it. */
export const sshCommand = (
  { alias }: Pick<SshAccess, 'alias'>,
  { included, configFile }: Pick<SshConfigState, 'included' | 'configFile'>,
): readonly string[] => ['ssh', ...(included ? [] : ['-F', configFile]), alias];

/** As a person types it, in any shell. */
export const shownCommand = (words: readonly string[]): string =>
  words.map(word => (/^[\w@%+=:,./\\-]+$/.test(word) ? word : `"${word}"`)).join(' ');
