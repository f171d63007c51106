/**
 * The yes to a quote: `<hitch-confirm>` over everything else, with the price on its button and the focus on Cancel.
 * Spending needs this answer each time; no setting switches it off.
 */
import '@hitch/views/define';
import { adoptJupyterTheme, JUPYTER_THEME_CLASS } from '@hitch/views';
import type { Quote } from '@hitch/contract';
import { sentenceOf } from '../actions/report.ts';
import type { Deps } from '../actions/deps.ts';
import { viewWords } from '../ui/view-words.ts';

export interface Confirming<T> {
  readonly quote: Quote;
  /** The same request once more, where the price is too old. */
  readonly quoteAgain: () => Promise<Quote>;
  /** What the yes does; a refusal is shown in the dialog. */
  readonly rent: (quote: Quote) => Promise<T>;
}

/** What `rent` answered; null when the person said no. */
export function confirmQuote<T>(deps: Deps, { quote, quoteAgain, rent }: Confirming<T>): Promise<T | null> {
  adoptJupyterTheme(document);
  const host = document.createElement('div');
  host.className = `jp-Hitch-confirm jp-ThemedContainer ${JUPYTER_THEME_CLASS}`;
  const dialog = document.createElement('hitch-confirm');
  dialog.messages = viewWords(deps.trans);
  dialog.modal = true;
  dialog.quote = quote;
  host.append(dialog);
  const before = document.activeElement;
  return new Promise(resolve => {
    const close = (answer: T | null): void => {
      host.remove();
      if (before instanceof HTMLElement) {
        before.focus();
      }
      resolve(answer);
    };
    const during = async (work: () => Promise<void>): Promise<void> => {
      dialog.busy = true;
      dialog.problem = null;
      try {
        await work();
      } catch (error) {
        dialog.problem = sentenceOf(error);
      } finally {
        dialog.busy = false;
      }
    };
    dialog.addEventListener('hitch-cancel', () => close(null));
    dialog.addEventListener('hitch-confirm', ({ detail }) => {
      void during(async () => close(await rent(detail.quote)));
    });
    dialog.addEventListener('hitch-quote-again', () => {
      void during(async () => {
        dialog.quote = await quoteAgain();
      });
    });
    document.body.append(host);
  });
}
