/** The notifications of occasions, with what can be done about each. Loaded when there is the first. */
import {
  ACTION_WORDS,
  clusterLine,
  stopsSoonMessage,
  unreachableMessage,
  type Cluster,
  type HitchApi,
} from '@hitch/contract';
import { interruptsOf, stopPlan, workWords } from '@hitch/contract/src/stop-plan.ts';
import { titlesOf, type Deps } from '../actions/deps.ts';
import { COMMANDS, NEIGHBOURS } from '../actions/ids.ts';
import { failed, said, warned, type NextStep } from '../actions/report.ts';
import { stop } from '../actions/stop.ts';
import { desktopStep, tellOnDesktop } from '../ui/desktop.ts';
import { dismiss } from '../ui/notify.ts';
import type { Occasion } from './occasions.ts';

const ASK_MS = 3_000;
const NO_PLAN = { interrupts: [], saves: [], notSaved: [] };

function step(deps: Deps, label: string, command: string, { id }: Cluster): NextStep[] {
  const run = () => void deps.commands.execute(command, { clusterId: id });
  return deps.commands.hasCommand(command) ? [{ label, run }] : [];
}

/** What runs there: the message names it. */
const interrupted = (api: HitchApi, { id }: Cluster): Promise<readonly string[]> =>
  api.kernels.list({ clusterId: id }, { signal: AbortSignal.timeout(ASK_MS) }).then(
    kernels => interruptsOf(kernels),
    () => [],
  );

/** With sizes where they can be counted in a moment; the notice does not wait longer for them. */
async function stopsSoonWords({ hitch, trans, now }: Deps, cluster: Cluster): Promise<string> {
  const { api } = hitch.client;
  try {
    const plan = await stopPlan(api, cluster, { signal: AbortSignal.timeout(ASK_MS) });
    return stopsSoonMessage(cluster, plan, now());
  } catch {
    const interrupts = await interrupted(api, cluster);
    const { paths } = cluster.save;
    const saving =
      paths.length === 0
        ? trans.__('Nothing is saved.')
        : trans.__('Saved first: %1.', paths.map(workWords).join(', '));
    return `${stopsSoonMessage(cluster, { interrupts, saves: [], notSaved: [] }, now())} ${saving}`;
  }
}

async function stopsSoon(deps: Deps, cluster: Cluster): Promise<string> {
  const { trans } = deps;
  const saves = cluster.save.paths.length > 0;
  return warned(
    await stopsSoonWords(deps, cluster),
    ...step(deps, trans.__('Extend…'), COMMANDS.extend, cluster),
    {
      label: saves ? trans.__('Save and stop now') : trans.__('Stop…'),
      run: () => void stop(deps, cluster, { asked: saves, mustAsk: !saves }),
    },
  );
}

/** The notification's id, so that it can go when its occasion is over. On the desktop too, where a person wants that. */
export async function tell(deps: Deps, occasion: Occasion): Promise<string | null> {
  const { hitch, now } = deps;
  const { kind, cluster } = occasion;
  const shown = await tellHere(deps, occasion);
  if (shown !== null) {
    const what = clusterLine(cluster, now(), { titleOf: titlesOf(hitch) });
    tellOnDesktop(
      kind === 'stops-soon' ? stopsSoonMessage(cluster, NO_PLAN, now()) : `${cluster.name}: ${what}.`,
    );
  }
  return shown;
}

async function tellHere(deps: Deps, { kind, cluster }: Occasion): Promise<string | null> {
  const { hitch, preferences, trans, now } = deps;
  const titleOf = titlesOf(hitch);
  const quiet = preferences.present.notify === 'problems';
  switch (kind) {
    case 'unreachable':
      return failed(
        // What its network says is not in the contract, so nothing is claimed about it.
        unreachableMessage(cluster, undefined, now(), titleOf),
        ...step(deps, trans.__('Retry'), COMMANDS.retry, cluster),
        ...step(deps, trans.__('Stop…'), COMMANDS.stop, cluster),
      );
    case 'stops-soon':
      return stopsSoon(deps, cluster);
    case 'failed':
      return failed(
        trans.__('%1: %2.', cluster.name, clusterLine(cluster, now(), { titleOf })),
        ...step(deps, ACTION_WORDS.nextOffer, COMMANDS.nextOffer, cluster),
        ...step(deps, trans.__('Logs'), COMMANDS.showLogs, cluster),
      );
    case 'ready':
      return quiet
        ? null
        : said(
            trans.__('%1 is ready.', cluster.name),
            ...step(deps, trans.__('Run on…'), NEIGHBOURS.runOn, cluster),
            ...step(deps, trans.__('Show'), COMMANDS.openPanel, cluster),
            ...desktopStep(trans),
          );
    case 'gone':
      return quiet
        ? null
        : said(
            trans.__('%1: %2.', cluster.name, clusterLine(cluster, now(), { titleOf })),
            ...step(deps, trans.__('Show'), COMMANDS.openPanel, cluster),
          );
  }
}

export function untell(id: string): void {
  dismiss(id);
}
