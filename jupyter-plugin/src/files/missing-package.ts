/** Offers to install the package that a cell on a cluster missed, and runs the cell again once it is there. */
import {
  type Cluster,
  type HitchApi,
  type Job,
  jobLine,
  NO_REQUIREMENT,
  packageOf,
  readRequirement,
} from '@hitch/contract';
import { machinesFor, runInstall } from '@hitch/contract/src/install-run.ts';
import { installQuestion } from '@hitch/contract/src/missing.ts';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import { NEIGHBOURS } from '../actions/ids.ts';
import { failed, type NextStep, sentenceOf } from '../actions/report.ts';
import { ProgressNote } from '../copies/note.ts';
import { askText } from '../ui/dialogs.ts';
import { notify } from '../ui/notify.ts';
import { pause } from '../ui/pause.ts';

export interface PackageOffer {
  readonly trans: TranslationBundle;
  readonly commands: CommandRegistry;
  readonly api: Pick<HitchApi, 'jobs'>;
  readonly cluster: Cluster;
  readonly module: string;
  /** Runs the cell once more. */
  readonly again: () => Promise<void>;
}

/** Nothing where a guess at the package would do harm. */
export function offerPackage(offer: PackageOffer): void {
  const { trans, cluster, module } = offer;
  const usual = packageOf(module);
  if (usual === null) {
    return;
  }
  notify('warning', trans.__('%1 has no module “%2”.', cluster.name, module), {
    autoClose: false,
    actions: [
      {
        label: trans.__('Install it and re-run the cell…'),
        displayType: 'accent',
        callback: () => void askAndInstall(offer, usual),
      },
    ],
  });
}

/** The person sees the name, and may change it: nothing of a stranger's is installed without that. */
async function askAndInstall(offer: PackageOffer, proposed: string): Promise<void> {
  const { trans, cluster, module } = offer;
  const typed = await askText(
    trans.__('Install a package on %1', cluster.name),
    installQuestion(module, cluster.name, machinesFor(cluster)).join(' '),
    proposed,
  );
  if (typed === null) {
    return;
  }
  const requirement = readRequirement(typed);
  if (requirement === null) {
    failed(NO_REQUIREMENT, {
      label: trans.__('Try again'),
      run: () => void askAndInstall(offer, proposed),
    });
    return;
  }
  await install(offer, requirement);
}

async function install(offer: PackageOffer, requirement: string): Promise<void> {
  const { trans, api, cluster, again } = offer;
  const doing = trans.__('Installing %1 on %2', requirement, cluster.name);
  const note = new ProgressNote(trans, trans.__('%1…', doing));
  const tryAgain: NextStep = {
    label: trans.__('Try again'),
    run: () => void askAndInstall(offer, requirement),
  };
  let job: Job;
  try {
    job = await runInstall({ api, cluster, requirement, signal: note.signal, sleep: pause });
  } catch (error) {
    const message = trans.__('%1 failed. %2', doing, sentenceOf(error));
    note.end({ type: 'error', message, stays: true, steps: [tryAgain] });
    return;
  }
  if (job.state === 'succeeded') {
    const message = trans.__('%1 is installed on %2.', requirement, cluster.name);
    note.end({ type: 'success', message, stays: false, steps: [] });
    await again();
  } else if (note.signal.aborted) {
    note.dismiss();
  } else {
    const message = trans.__('%1 failed. %2.', doing, jobLine(job, Date.now()));
    note.end({ type: 'error', message, stays: true, steps: [...logStep(offer, job), tryAgain] });
  }
}

function logStep({ trans, commands }: PackageOffer, { id }: Job): readonly NextStep[] {
  const command = NEIGHBOURS.openJob;
  return commands.hasCommand(command)
    ? [{ label: trans.__('Log'), run: () => void commands.execute(command, { jobId: id }), keeps: true }]
    : [];
}
