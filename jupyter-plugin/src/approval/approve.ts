/**
 * A person's yes to what this page would spend. Every script in a page can press the page's buttons, so the yes is said
 * where no page can: in a window of the daemon's own origin, or in a terminal. Here it is only waited for.
 */
import '@hitch/views/define';
import { adoptJupyterTheme, JUPYTER_THEME_CLASS } from '@hitch/views';
import {
  type Approval,
  type ApprovalAction,
  type ClusterId,
  errorFromEnvelope,
  HitchError,
  isApprovalOver,
} from '@hitch/contract';
import { sentenceOf } from '../actions/report.ts';
import type { Deps } from '../actions/deps.ts';
import { pause } from '../ui/pause.ts';
import { viewWords } from '../ui/view-words.ts';
import { isOnThisComputer, openWindow } from './window.ts';

const LOOK_EVERY_MS = 700;

/** One request after the other, until one is done or the person leaves. */
class Asking {
  readonly #deps: Deps;
  readonly #action: () => Promise<ApprovalAction>;
  readonly #dialog = document.createElement('hitch-confirm');
  readonly #left = new AbortController();
  #approval: Approval;

  constructor(deps: Deps, action: () => Promise<ApprovalAction>, approval: Approval) {
    this.#deps = deps;
    this.#action = action;
    this.#approval = approval;
    this.#dialog.messages = viewWords(deps.trans);
    this.#dialog.modal = true;
  }

  /** What was rented or changed; null when it was not. */
  async run(): Promise<ClusterId | null> {
    adoptJupyterTheme(document);
    const host = document.createElement('div');
    host.className = `jp-Hitch-confirm jp-ThemedContainer ${JUPYTER_THEME_CLASS}`;
    host.append(this.#dialog);
    const before = document.activeElement;
    this.#dialog.addEventListener('hitch-cancel', () => this.#left.abort());
    this.#dialog.addEventListener('hitch-confirm', () => this.#open());
    this.#dialog.addEventListener('hitch-quote-again', () => void this.#again());
    this.#show(this.#approval);
    document.body.append(host);
    // The click that led here still counts, where it was a moment ago: the window need not be asked for again.
    this.#open();
    try {
      return await this.#wait();
    } finally {
      host.remove();
      if (before instanceof HTMLElement) {
        before.focus();
      }
    }
  }

  #show(approval: Approval): void {
    this.#approval = approval;
    this.#dialog.quote = approval;
    this.#dialog.command = `hitch approve ${approval.code}`;
    this.#dialog.canOpen = isOnThisComputer(window.location);
    this.#dialog.problem = null;
  }

  #open(): void {
    const { trans } = this.#deps;
    const { yes, windowUrl } = this.#approval;
    if (!isOnThisComputer(window.location)) {
      this.#dialog.where = trans.__('Jupyter runs on another computer: “%1” is said there.', yes);
    } else if (openWindow(windowUrl)) {
      this.#dialog.where = trans.__('Press “%1” in the window of Hitch that opened.', yes);
    } else {
      this.#dialog.where = trans.__('The browser kept the window of Hitch back. Open it to say “%1”.', yes);
    }
  }

  async #again(): Promise<void> {
    this.#dialog.busy = true;
    try {
      this.#show(await this.#deps.hitch.client.api.approvals.ask(await this.#action()));
      this.#open();
    } catch (error) {
      this.#dialog.problem = sentenceOf(error);
    } finally {
      this.#dialog.busy = false;
    }
  }

  async #wait(): Promise<ClusterId | null> {
    const { api } = this.#deps.hitch.client;
    while (!this.#left.signal.aborted) {
      const asked = this.#approval;
      const news = isApprovalOver(asked) ? asked : await this.#look(asked);
      if (news !== null && news.id === this.#approval.id) {
        this.#approval = news;
        if (news.state === 'done') {
          return news.clusterId;
        }
        if (news.state === 'declined') {
          return null;
        }
        if (news.problem !== null && this.#dialog.problem === null && !this.#dialog.busy) {
          this.#dialog.problem = sentenceOf(errorFromEnvelope(news.problem));
        }
      }
      await pause(LOOK_EVERY_MS, this.#left.signal);
    }
    // Nobody is to find a window that still asks. A daemon that does not answer has nothing that waits.
    await api.approvals.withdraw({ approvalId: this.#approval.id }).catch(() => null);
    return null;
  }

  /** Null while it cannot be asked. */
  async #look({ id }: Approval): Promise<Approval | null> {
    try {
      return await this.#deps.hitch.client.api.approvals.get({ approvalId: id });
    } catch (error) {
      if (error instanceof HitchError && error.code === 'NOT_FOUND') {
        this.#dialog.problem ??= sentenceOf(error);
      }
      return null;
    }
  }
}

/**
 * Asks a person; resolves when it is done with the cluster, or with null when the person said no.
 * @param action what is asked for, with a fresh quote where it needs one; made anew when the first is too old.
 * @throws HitchError for what is refused before anybody is asked.
 */
export async function approve(deps: Deps, action: () => Promise<ApprovalAction>): Promise<ClusterId | null> {
  const approval = await deps.hitch.client.api.approvals.ask(await action());
  return new Asking(deps, action, approval).run();
}
