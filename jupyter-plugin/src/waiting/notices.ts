/** One notification for each cluster that notebooks wait for: what is the matter, and the way on. */
import type { ISessionContext } from '@jupyterlab/apputils';
import { ACTION_WORDS, shownName } from '@hitch/contract';
import { PathExt } from '@jupyterlab/coreutils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { titlesOf, type Deps } from '../actions/deps.ts';
import { COMMAND_OF, COMMANDS } from '../actions/ids.ts';
import { readKernelName } from '../kernels/names.ts';
import type { IKernelRouter } from '../kernels/tokens.ts';
import { dismiss, notify, renotify } from '../ui/notify.ts';
import { awayWords, type Away } from './words.ts';

/** So many are named; a notification is short. */
const NAMED = 3;

interface Shown {
  readonly id: string;
  readonly kind: string;
  message: string;
}

export interface WaitingNoticesOptions {
  readonly deps: Deps;
  readonly router: IKernelRouter;
  /** Lets a person choose another kernel. */
  readonly choose: (context: ISessionContext) => void;
}

export class WaitingNotices {
  readonly #options: WaitingNoticesOptions;
  /** By the name of a kernel. */
  readonly #shown = new Map<string, Shown>();

  constructor(options: WaitingNoticesOptions) {
    this.#options = options;
  }

  look(): void {
    const { router, deps } = this.#options;
    if (deps.hitch.link.state === 'connecting') {
      return;
    }
    const waiting = Map.groupBy(router.waiting.all, ([, name]) => name);
    for (const [name, { id }] of this.#shown) {
      if (!waiting.has(name)) {
        dismiss(id);
        this.#shown.delete(name);
      }
    }
    for (const [name, entries] of waiting) {
      this.#show(
        name,
        entries.map(([context]) => context),
      );
    }
  }

  #show(kernelName: string, contexts: readonly ISessionContext[]): void {
    const { router, deps } = this.#options;
    const { trans } = deps;
    const cluster = router.places.clusterOf(kernelName);
    const [first] = contexts;
    const names = contexts.map(({ path, name: title }) => shownName(title || PathExt.basename(path)));
    const who = namedOf(names, trans);
    const name = cluster?.name ?? readKernelName(kernelName)?.cluster ?? kernelName;
    const away = awayWords(who, name, cluster, {
      trans,
      titleOf: titlesOf(deps.hitch),
      nowMs: deps.now(),
      count: contexts.length,
    });
    const message = away.sentence;
    const old = this.#shown.get(kernelName);
    // Each end is told anew; else one notification follows the cluster.
    const kind =
      away.kind === 'over' ? `over ${away.again ?? ''} ${cluster?.phaseSinceMs.toString() ?? ''}` : away.kind;
    if (old?.kind === kind) {
      if (old.message !== message) {
        old.message = message;
        renotify(old.id, message);
      }
      return;
    }
    if (old !== undefined) {
      dismiss(old.id);
    }
    const type = away.kind === 'coming' ? 'in-progress' : 'warning';
    const id = notify(type, message, {
      autoClose: false,
      actions: this.#actions(away, cluster?.id, first),
    });
    this.#shown.set(kernelName, { id, kind, message });
  }

  #actions(away: Away, clusterId: string | undefined, first: ISessionContext | undefined) {
    const { deps, choose } = this.#options;
    const { commands, trans } = deps;
    const run = (command: string | null, args: { clusterId?: string } = {}) => ({
      callback: () => void (command === null ? null : commands.execute(command, args)),
    });
    const other =
      first === undefined
        ? []
        : [{ label: trans.__('Choose another kernel…'), callback: () => choose(first) }];
    if (away.kind === 'coming') {
      const show = run(COMMANDS.showTimeline, clusterId === undefined ? {} : { clusterId });
      return [{ label: trans.__('Show'), ...show }];
    }
    const label = away.again === 'startAgain' ? trans.__('Start it again…') : ACTION_WORDS.nextOffer;
    const again =
      away.again === null || clusterId === undefined
        ? []
        : [{ label, displayType: 'accent' as const, ...run(COMMAND_OF[away.again], { clusterId }) }];
    const anew =
      away.kind === 'over' && away.again === null && clusterId === undefined
        ? [{ label: trans.__('New cluster…'), ...run(COMMANDS.newCluster) }]
        : [];
    return [...again, ...anew, ...other];
  }
}

function namedOf(names: readonly string[], trans: TranslationBundle): string {
  const rest = names.length - NAMED;
  return [...names.slice(0, NAMED), ...(rest > 0 ? [trans.__('%1 more', rest)] : [])].join(', ');
}
