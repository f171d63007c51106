/** A link in an output of a cluster. Any click in its frame could be taken for one on it, so a person is asked first. */
import { cutText } from '@hitch/contract';
import { Dialog, showQuestion } from '../ui/dialogs.ts';
import type { TranslationBundle } from '@jupyterlab/translation';
import { openable } from './addresses.ts';

let asking = false;

/**
 * One question at a time; what else the frames ask meanwhile is not asked.
 * @returns false after a no, and after a link that is none to open.
 */
export async function openLink(href: string, trans: TranslationBundle): Promise<boolean> {
  if (asking) {
    return true;
  }
  asking = true;
  const address = openable(href, window.location.origin);
  try {
    if (address === null) {
      await showQuestion({
        title: trans.__('This link was not opened'),
        body: trans.__('An output of a cluster links to this computer: %1', cutText(href, 300)),
        buttons: [Dialog.okButton({ label: trans.__('Close') })],
      });
      return false;
    }
    const { button } = await showQuestion({
      title: trans.__('Open a link of a cluster’s output?'),
      body: address,
      buttons: [
        Dialog.cancelButton({ label: trans.__('Cancel') }),
        Dialog.okButton({ label: trans.__('Open in a new tab') }),
      ],
      defaultButton: 0,
    });
    if (button.accept) {
      window.open(address, '_blank', 'noopener,noreferrer');
    }
    return button.accept;
  } finally {
    asking = false;
  }
}
