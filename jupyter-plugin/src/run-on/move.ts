/** Gives a notebook a kernel somewhere else, after saying what does not go with it. */
import type { NotebookPanel } from '@jupyterlab/notebook';
import type { KernelSpec } from '@jupyterlab/services';
import { ask, LinesBody } from '../actions/ask.ts';
import type { Deps } from '../actions/deps.ts';
import { attempt, failed, said } from '../actions/report.ts';
import { pause } from '../ui/pause.ts';
import { clusterOfKernel, kernelOn, kernelsOf, type Written } from './targets.ts';

/** What came of moving a notebook. `failed` was told, and may be tried again. */
export type Moved = 'there' | 'declined' | 'failed';

export interface Moving {
  readonly deps: Deps;
  readonly specs: KernelSpec.IManager;
  /** The cluster's name; null: this computer. */
  readonly to: string | null;
}

/** The kernel there. A cluster that has just become ready is asked for once more. */
export async function findKernel({ specs, to }: Moving, written: Written): Promise<string | undefined> {
  const look = () => (specs.specs === null ? undefined : kernelOn(to, written, specs.specs));
  const known = look();
  if (known !== undefined) {
    return known;
  }
  await specs.refreshSpecs();
  return look();
}

const LOOK_EVERY_MS = 500;
/** Longer than the start of a kernel there may take (`kernels/places.ts`). */
const OWN_KERNEL_WITHIN_MS = 180_000;

/** Resolves once the kernels of a cluster that has just become ready are listed here, or when nobody waits for it any more. */
export async function untilKernels({ specs, to }: Moving, isWanted: () => boolean): Promise<void> {
  while (isWanted() && kernelsOf(to, specs.specs?.kernelspecs ?? {}).length === 0) {
    await specs.refreshSpecs().catch(() => undefined);
    await pause(LOOK_EVERY_MS);
  }
}

/** Whether the notebook runs there now. */
export const runsOn = ({ sessionContext }: NotebookPanel, cluster: string | null): boolean =>
  clusterOfKernel(sessionContext.session?.kernel?.name) === cluster;

/**
 * A notebook that waits for this cluster already gets its kernel by itself, also when the page was loaded anew: a second one
 * beside it would take the first one's answers.
 * @returns whether it has it.
 */
export async function untilOwnKernel(
  panel: NotebookPanel,
  { deps: { now }, to }: Moving,
  isWanted: () => boolean,
): Promise<boolean> {
  const { sessionContext } = panel;
  const untilMs = now() + OWN_KERNEL_WITHIN_MS;
  const isComing = (): boolean => clusterOfKernel(sessionContext.kernelPreference.name) === to;
  while (isWanted() && !runsOn(panel, to) && isComing() && now() < untilMs) {
    await pause(LOOK_EVERY_MS);
  }
  return runsOn(panel, to);
}

/** What a notebook that has run says, or one whose kernel was chosen once. */
function languageOf({ content }: NotebookPanel): string | undefined {
  const named: unknown = content.model?.getMetadata('kernelspec');
  const ofKernel: unknown =
    typeof named === 'object' && named !== null ? Reflect.get(named, 'language') : undefined;
  const known = content.model?.defaultKernelLanguage || ofKernel;
  return typeof known === 'string' && known !== '' ? known : undefined;
}

/** Why there is no kernel to change to: none is known yet, or none of the notebook's language. */
function noKernel(
  { deps: { trans }, specs, to }: Moving,
  file: string,
  language: string | undefined,
): string {
  const place = to ?? trans.__('this computer');
  const there = kernelsOf(to, specs.specs?.kernelspecs ?? {}).map(spec => spec.display_name);
  return there.length === 0 || language === undefined
    ? trans.__('%1 has no kernel yet. Wait until it is ready, then try again.', place)
    : trans.__(
        '%1 is written in %2, and %3 has no kernel for it. Available: %4.',
        file,
        language,
        place,
        there.join(', '),
      );
}

const hasRun = ({ content }: NotebookPanel): boolean =>
  content.widgets.some(cell => {
    const count: unknown = cell.model.sharedModel.toJSON()['execution_count'];
    return typeof count === 'number';
  });

/** @returns what came of it; `failed` was told. */
export async function moveNotebook(panel: NotebookPanel, moving: Moving): Promise<Moved> {
  const { deps, to } = moving;
  const { trans } = deps;
  const { sessionContext } = panel;
  const present = sessionContext.session?.kernel?.name;
  const place = to ?? trans.__('this computer');
  const file = panel.title.label;
  if (present !== undefined && clusterOfKernel(present) === to) {
    said(trans.__('%1 already runs on %2.', file, place));
    return 'there';
  }
  if (present !== undefined && hasRun(panel)) {
    const answer = await ask<'move'>(trans, {
      title: trans.__('Run %1 on %2?', file, place),
      body: new LinesBody([
        trans.__('Variables are lost: the new kernel starts empty, so run the cells again.'),
        trans.__('Files stay where they are; use Send to… and Fetch to copy them.'),
        trans.__('The current kernel is shut down.'),
      ]),
      choices: [{ value: 'move', label: trans.__('Run on %1', place) }],
    });
    if (answer === null) {
      return 'declined';
    }
  }
  const again = () => void moveNotebook(panel, moving);
  const language = languageOf(panel);
  const name = await attempt(deps, () => findKernel(moving, { kernel: present, language }), again);
  if (name === null) {
    return 'failed';
  }
  if (name === undefined) {
    failed(noKernel(moving, file, language), {
      label: trans.__('Try again'),
      run: again,
    });
    return 'failed';
  }
  const kernel = await attempt(deps, () => sessionContext.changeKernel({ name }), again);
  if (kernel === null) {
    return 'failed';
  }
  said(trans.__('%1 now runs on %2.', file, place));
  return 'there';
}
