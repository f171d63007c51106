/**
 * A person's yes to what this page would spend, to a login, or to a machine of one's own. Every script in a page can press the page's buttons, so the yes is said
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

const isUnknown = (error: unknown): error is HitchError =>
  error instanceof HitchError && error.code === 'NOT_FOUND';

/** A person has answered it: what comes of that is told, and nothing takes its place. */
const wasAnswered = ({ state }: Approval): boolean =>
  state === 'doing' || state === 'done' || state === 'declined';

/** One request after the other, until one is done or the person leaves. */
class Asking {
  readonly #deps: Deps;
  readonly #action: () => Promise<ApprovalAction>;
  readonly #dialog = document.createElement('hitch-confirm');
  readonly #left = new AbortController();
  /** Left a second time, while what was approved is still being done. */
  readonly #gone = new AbortController();
  #approval: Approval;
  /** Another request takes the place of this one; null: not now. */
  #renewal: Promise<void> | null = null;

  constructor(deps: Deps, action: () => Promise<ApprovalAction>, approval: Approval) {
    this.#deps = deps;
    this.#action = action;
    this.#approval = approval;
    this.#dialog.messages = viewWords(deps.trans);
    this.#dialog.modal = true;
  }

  /** The request as it was done; null when it was not. */
  async run(): Promise<Approval | null> {
    adoptJupyterTheme(document);
    const host = document.createElement('div');
    host.className = `jp-Hitch-confirm jp-ThemedContainer ${JUPYTER_THEME_CLASS}`;
    host.append(this.#dialog);
    const before = document.activeElement;
    this.#dialog.addEventListener('hitch-cancel', () => {
      (this.#left.signal.aborted ? this.#gone : this.#left).abort();
    });
    this.#dialog.addEventListener('hitch-confirm', () => this.#open());
    this.#dialog.addEventListener('hitch-quote-again', () => {
      this.#renewal ??= this.#again().finally(() => (this.#renewal = null));
    });
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
    const { now } = this.#deps;
    // When it is too old is for the daemon's clock to say, and the browser's may be another.
    const aheadMs = approval.askedAtMs - now();
    this.#approval = approval;
    this.#dialog.now = () => now() + aheadMs;
    this.#dialog.quote = approval;
    this.#dialog.command = `hitch approve ${approval.code}`;
    this.#dialog.canOpen = isOnThisComputer(window.location);
    this.#dialog.problem = null;
  }

  #open(): void {
    const { trans } = this.#deps;
    const { yes, windowUrl } = this.#approval;
    if (!isOnThisComputer(window.location)) {
      this.#dialog.where = trans.__(
        'Jupyter runs on another computer, so “%1” has to be approved there.',
        yes,
      );
    } else if (openWindow(windowUrl)) {
      this.#dialog.where = trans.__('Press “%1” in the Hitch window that opened.', yes);
    } else {
      this.#dialog.where = trans.__(
        'The browser blocked the Hitch window. Open it, then press “%1” there.',
        yes,
      );
    }
  }

  #isLeft(): boolean {
    return this.#left.signal.aborted;
  }

  /** One request at a time can be answered: of two, both could get a yes, and each would spend. */
  async #again(): Promise<void> {
    const { api } = this.#deps.hitch.client;
    this.#dialog.busy = true;
    try {
      const action = await this.#action();
      const before = await this.#takeBack();
      if (this.#isLeft() || (before !== null && wasAnswered(before))) {
        return;
      }
      this.#show(await api.approvals.ask(action));
      if (!this.#isLeft()) {
        this.#open();
      }
    } catch (error) {
      this.#dialog.problem = sentenceOf(error);
    } finally {
      this.#dialog.busy = false;
    }
  }

  /** Null where the daemon knows it no more, and nothing waits. @throws HitchError when it may still wait. */
  async #takeBack(): Promise<Approval | null> {
    try {
      return await this.#deps.hitch.client.api.approvals.withdraw({ approvalId: this.#approval.id });
    } catch (error) {
      if (isUnknown(error)) {
        return null;
      }
      throw error;
    }
  }

  async #wait(): Promise<Approval | null> {
    while (!this.#left.signal.aborted) {
      const asked = this.#approval;
      const news = isApprovalOver(asked) ? asked : await this.#look(asked);
      if (news !== null && news.id === this.#approval.id) {
        this.#approval = news;
        if (news.state === 'done') {
          return news;
        }
        if (news.state === 'declined') {
          return null;
        }
        if (this.#renewal === null) {
          this.#dialog.problem ??= this.#whyNot(news);
        }
      }
      await pause(LOOK_EVERY_MS, this.#left.signal);
    }
    await this.#renewal;
    return this.#leave();
  }

  /** Why no yes to it can be waited for; null while one can. */
  #whyNot({ state, problem }: Approval): string | null {
    const { trans } = this.#deps;
    if (problem !== null) {
      return sentenceOf(errorFromEnvelope(problem));
    }
    switch (state) {
      case 'expired':
        return trans.__('This request has expired. Ask again.');
      case 'withdrawn':
        return trans.__('This request was withdrawn. Ask again.');
      default:
        return null;
    }
  }

  /**
   * Nobody is to find a window that still asks. Where the yes came first, what it did is told all the same.
   * @throws HitchError when it came first and could not be done.
   */
  async #leave(): Promise<Approval | null> {
    // Where the daemon does not answer now, its window stops to ask ten minutes after it was asked for.
    let news = await this.#takeBack().catch(() => null);
    while (news?.state === 'doing' && !this.#gone.signal.aborted) {
      this.#dialog.problem = null;
      this.#dialog.where = this.#deps.trans.__('It was approved already and is being done.');
      await pause(LOOK_EVERY_MS, this.#gone.signal);
      news = (await this.#look(news)) ?? news;
    }
    if (news !== null && news.problem !== null && !isApprovalOver(this.#approval)) {
      throw errorFromEnvelope(news.problem);
    }
    return news?.state === 'done' ? news : null;
  }

  /** Null while it cannot be asked; as failed where the daemon knows it no more. */
  async #look(asked: Approval): Promise<Approval | null> {
    try {
      return await this.#deps.hitch.client.api.approvals.get({ approvalId: asked.id });
    } catch (error) {
      return isUnknown(error) ? { ...asked, state: 'failed', problem: error.toEnvelope() } : null;
    }
  }
}

/**
 * Asks a person; resolves with the request once it is done, or with null when the person said no.
 * @param action what is asked for, with a fresh quote where it needs one; made anew when the first is too old.
 * @throws HitchError for what is refused before anybody is asked.
 */
export async function askPerson(deps: Deps, action: () => Promise<ApprovalAction>): Promise<Approval | null> {
  const approval = await deps.hitch.client.api.approvals.ask(await action());
  return new Asking(deps, action, approval).run();
}

/** The same of a cluster: what was rented or changed. @throws HitchError as {@link askPerson} */
export async function approve(deps: Deps, action: () => Promise<ApprovalAction>): Promise<ClusterId | null> {
  return (await askPerson(deps, action))?.clusterId ?? null;
}
