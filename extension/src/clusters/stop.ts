/** The question before a stop: what it saves, what it would lose, and the answers. */
import type { Cluster } from '@hitch/contract';
import * as format from '@hitch/contract/src/format.ts';
import type { Losses } from '@hitch/contract/src/stop-plan.ts';

/** What a stop is asked to do. */
export interface StopChoice {
  readonly label: string;
  readonly skipSave: boolean;
  readonly savePaths: readonly string[];
}

export interface StopQuestion {
  readonly detail: string;
  /** The first has the focus: Enter out of habit loses nothing. */
  readonly choices: readonly StopChoice[];
}

/** @param warning of notebooks that run there. */
export function stopQuestion(cluster: Cluster, losses: Losses, warning: string | null): StopQuestion {
  const { paths } = cluster.save;
  const saves = paths.length > 0;
  const then = saves ? `save ${paths.join(', ')} here, destroy.` : 'destroy.';
  return {
    detail: [
      ...(warning === null ? [] : [warning]),
      `Then: ${then}${saves || losses.words !== null ? '' : ' Nothing is saved.'}`,
      ...(losses.words === null ? [] : [losses.words]),
      `Spent so far: ${format.dollars(format.costOfRun(cluster.usage))}. Billing ends when the network confirms.`,
    ].join('\n'),
    choices:
      losses.words === null
        ? [
            { label: saves ? 'Save and Stop' : 'Stop', skipSave: false, savePaths: [] },
            ...(saves ? [{ label: 'Stop without Saving', skipSave: true, savePaths: [] }] : []),
          ]
        : [
            { label: 'Save These and Stop', skipSave: false, savePaths: losses.paths },
            { label: 'Stop without Saving These', skipSave: false, savePaths: [] },
          ],
  };
}

/** A message has told what is saved, and nothing else would be lost: there is nothing left to ask. */
export const isStopClear = ({ save }: Pick<Cluster, 'save'>, { words }: Losses): boolean =>
  save.paths.length > 0 && words === null;
