/**
 * JupyterLab's dialogs about kernels, with one more answer: a cell that is run while its cluster is stopped asks whether
 * to start the cluster again before it asks for another kernel.
 */
import { ACTION_WORDS } from '@hitch/contract';
import { type ISessionContext, SessionContextDialogs } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';
import { ask, LinesBody } from '../actions/ask.ts';
import { titlesOf, type Deps } from '../actions/deps.ts';
import { COMMAND_OF } from '../actions/ids.ts';
import type { IKernelRouter } from '../kernels/tokens.ts';
import { awayWords } from './words.ts';

export interface KernelDialogsOptions extends ISessionContext.IDialogsOptions {
  readonly deps: Deps;
  readonly router: IKernelRouter;
}

export class KernelDialogs extends SessionContextDialogs {
  readonly #deps: Deps;
  readonly #router: IKernelRouter;

  constructor({ deps, router, ...stock }: KernelDialogsOptions) {
    super(stock);
    this.#deps = deps;
    this.#router = router;
  }

  override async selectKernel(context: ISessionContext): Promise<void> {
    const name = this.#router.waiting.all.get(context);
    const answer = name === undefined ? 'choose' : await this.#askAgain(context, name);
    if (answer === 'choose') {
      await this.chooseKernel(context);
    }
  }

  /** JupyterLab's own question. */
  chooseKernel(context: ISessionContext): Promise<void> {
    return super.selectKernel(context);
  }

  async #askAgain(context: ISessionContext, kernelName: string): Promise<'choose' | null> {
    const { trans, hitch, now, commands } = this.#deps;
    const cluster = this.#router.places.clusterOf(kernelName);
    if (cluster === undefined) {
      return 'choose';
    }
    const who = PathExt.basename(context.path);
    const titleOf = titlesOf(hitch);
    const away = awayWords(who, cluster.name, cluster, { trans, titleOf, nowMs: now(), count: 1 });
    const choose = { value: 'choose' as const, label: trans.__('Choose another kernel…') };
    const label = away.again === 'nextOffer' ? ACTION_WORDS.nextOffer : trans.__('Start it again…');
    const answer = await ask<'choose' | 'again'>(trans, {
      title: trans.__('%1 has no kernel now', who),
      body: new LinesBody([
        away.sentence,
        away.kind === 'over'
          ? trans.__('It does not run anywhere else unless you choose to.')
          : trans.__('It gets its kernel back as soon as %1 is ready.', cluster.name),
      ]),
      choices: away.again === null ? [choose] : [choose, { value: 'again', label }],
    });
    if (answer !== 'again') {
      return answer;
    }
    const command = away.again === null ? null : COMMAND_OF[away.again];
    if (command !== null) {
      await commands.execute(command, { clusterId: cluster.id });
    }
    return null;
  }
}
