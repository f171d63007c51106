/** The question before a stop: what it saves, what it would lose, and the answers. */
import type { Cluster } from '@hitch/contract';
import * as format from '@hitch/contract/src/format.ts';
import { type Losses, workWords } from '@hitch/contract/src/stop-plan.ts';
import { machinesEnd } from '@hitch/contract/src/words.ts';

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

/** @param warnings of notebooks and jobs that run there. */
export function stopQuestion(
  cluster: Cluster,
  losses: Losses,
  ...warnings: readonly (string | null)[]
): StopQuestion {
  const { paths } = cluster.save;
  const saves = paths.length > 0;
  return {
    detail: [
      ...warnings.filter(warning => warning !== null),
      ...(saves
        ? [
            `${paths.map(workWords).join(', ')} ${paths.length === 1 ? 'is' : 'are'} saved to this computer first.`,
          ]
        : losses.words === null
          ? ['⚠ Nothing is saved: no paths were chosen.']
          : []),
      ...(losses.words === null ? [] : [losses.words]),
      machinesLine(cluster),
      cluster.practice
        ? 'Practice: nobody is charged.'
        : `Spent so far: ${format.dollars(format.costOfRun(cluster.usage))}. Billing ends when the network confirms.`,
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

function machinesLine({ nodes, ownMachines }: Cluster): string {
  const count = nodes.filter(({ phase }) => phase !== 'gone' && phase !== 'failed').length;
  const words = machinesEnd(Math.max(1, count), ownMachines);
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;
}

/** A message has told what is saved, and nothing else would be lost: there is nothing left to ask. */
export const isStopClear = (
  { save }: Pick<Cluster, 'save'>,
  { words }: Losses,
  jobs: string | null,
): boolean => save.paths.length > 0 && words === null && jobs === null;
