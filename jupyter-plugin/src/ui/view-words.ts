/** The translation of JupyterLab for the views that both editors show. */
import type { Translate } from '@hitch/views';
import type { TranslationBundle } from '@jupyterlab/translation';

/** The views' sentences come through this as they are written there; the catalogue has them under the same words. */
export function viewWords(trans: TranslationBundle): Translate {
  const translate = trans.__.bind(trans);
  return (text, ...args) => translate(text, ...args.map(String));
}
