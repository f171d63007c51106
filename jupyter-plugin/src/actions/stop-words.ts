/** What a stop does and may lose, in lines and in choices. Pure, so that it is tested without a page. */
import { format, shownLine, type Cluster, type Kernel } from '@hitch/contract';
import { interruptsOf, type Losses, workWords } from '@hitch/contract/src/stop-plan.ts';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { Choice } from './ask.ts';

/** What a stop interrupts, saves, loses and destroys, a line each. */
export function stopLines(
  cluster: Cluster,
  /** Null while unknown. */
  kernels: readonly Kernel[] | null,
  losses: Losses,
  network: string,
  trans: TranslationBundle,
  /** The jobs that run and what becomes of them; null: none. */
  jobs: string | null = null,
): string[] {
  const { save, nodes, usage } = cluster;
  const busy = interruptsOf(kernels ?? []);
  const machines = nodes.filter(({ phase }) => phase !== 'gone' && phase !== 'failed').length;
  return [
    kernels === null
      ? trans.__('Whatever is running there is interrupted.')
      : busy.length === 0
        ? jobs === null
          ? trans.__('Nothing is running there now.')
          : trans.__('No notebook is running there now.')
        : trans._n('%2 is interrupted.', '%2 are interrupted.', busy.length, busy.join(', ')),
    ...(jobs === null ? [] : [shownLine(jobs)]),
    save.paths.length === 0
      ? trans.__('⚠ Nothing is saved: no paths were chosen.')
      : trans._n(
          '%2 is saved to %3 first.',
          '%2 are saved to %3 first.',
          save.paths.length,
          save.paths.map(workWords).join(', '),
          save.toFolder ?? trans.__('this computer'),
        ),
    ...(losses.words === null ? [] : [shownLine(losses.words)]),
    cluster.ownMachines === true
      ? trans.__('Its processes are ended and its folders deleted; the machine itself stays as it was.')
      : machines === 2
        ? trans.__('Both machines are deleted with everything on them.')
        : trans._n(
            'The machine is deleted with everything on it.',
            'All %1 machines are deleted with everything on them.',
            Math.max(1, machines),
          ),
    cluster.practice
      ? trans.__('Practice: nobody is charged.')
      : trans.__(
          'Billing (%1/h) ends when %2 confirms. Spent so far: %3.',
          format.dollars(usage.ratePerHourMicroUsd),
          network,
          format.dollars(format.costOfRun(usage)),
        ),
  ];
}

/** `save`: what is named for the cluster is saved · `save-these`: also what would be lost · `skip`: nothing is. */
export type StopWay = 'save' | 'save-these' | 'skip';

export function stopChoices(
  { save }: Pick<Cluster, 'save'>,
  losses: Losses,
  trans: TranslationBundle,
): readonly Choice<StopWay>[] {
  if (losses.words !== null) {
    return [
      { value: 'save', label: trans.__('Stop without saving these'), warn: true },
      { value: 'save-these', label: trans.__('Save these and stop') },
    ];
  }
  return save.paths.length > 0
    ? [
        { value: 'skip', label: trans.__('Stop without saving'), warn: true },
        { value: 'save', label: trans.__('Save and stop') },
      ]
    : [{ value: 'save', label: trans.__('Stop'), warn: true }];
}
