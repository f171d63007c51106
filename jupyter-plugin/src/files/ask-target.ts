/** Which cluster something is sent to, and into which folder of its work folder. */
import { workPathSchema } from '@hitch/contract';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';
import { Dialog, showQuestion } from '../ui/dialogs.ts';

export interface Target {
  readonly cluster: string;
  readonly folder: string;
}

/** A cluster to choose, and a folder in its work folder. */
class TargetForm extends Widget implements Dialog.IBodyWidget<Target> {
  readonly #cluster = document.createElement('select');
  readonly #folder = document.createElement('input');

  constructor(trans: TranslationBundle, clusters: readonly string[]) {
    super();
    this.addClass('jp-HitchTarget');
    for (const name of clusters) {
      this.#cluster.append(new Option(name, name));
    }
    this.#folder.placeholder = trans.__('its work folder');
    this.#folder.spellcheck = false;
    this.#cluster.className = this.#folder.className = 'jp-mod-styled';
    this.#add(trans.__('Cluster'), this.#cluster);
    this.#add(trans.__('Folder there'), this.#folder);
  }

  #add(text: string, field: HTMLElement): void {
    const label = document.createElement('label');
    label.append(text, field);
    this.node.append(label);
  }

  getValue(): Target {
    const folder = this.#folder.value
      .trim()
      .split('/')
      .filter(part => part !== '' && part !== '.')
      .join('/');
    return { cluster: this.#cluster.value, folder };
  }
}

export async function askTarget(
  trans: TranslationBundle,
  title: string,
  clusters: readonly string[],
): Promise<Target | null> {
  const { button, value } = await showQuestion<Target>({
    title,
    body: new TargetForm(trans, clusters),
    buttons: [Dialog.cancelButton(), Dialog.okButton({ label: trans.__('Send') })],
    focusNodeSelector: 'select',
  });
  return button.accept && value !== null && workPathSchema.safeParse(value.folder).success ? value : null;
}
