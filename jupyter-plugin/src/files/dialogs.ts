/** The two questions that a copy may ask. */
import { workPathSchema } from '@hitch/contract';
import type { WhenInTheWay } from '@hitch/contract/src/copying.ts';
import { Dialog, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';
import type { Plan } from './plan.ts';
import { amount } from './progress.ts';

export interface Target {
  readonly cluster: string;
  readonly folder: string;
}

/** A cluster to choose, and a folder in its work folder. */
class TargetForm extends Widget implements Dialog.IBodyWidget<Target> {
  readonly #cluster = document.createElement('select');
  readonly #folder = document.createElement('input');

  constructor(trans: TranslationBundle, clusters: readonly string[], folder: string) {
    super();
    this.addClass('jp-HitchTarget');
    for (const name of clusters) {
      this.#cluster.append(new Option(name, name));
    }
    this.#folder.value = folder;
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
    return { cluster: this.#cluster.value, folder: this.#folder.value.trim().replace(/^[./]+|\/+$/g, '') };
  }
}

export async function askTarget(
  trans: TranslationBundle,
  title: string,
  clusters: readonly string[],
  folder: string,
): Promise<Target | null> {
  const { button, value } = await showDialog({
    title,
    body: new TargetForm(trans, clusters, folder),
    buttons: [Dialog.cancelButton(), Dialog.okButton({ label: trans.__('Next') })],
    focusNodeSelector: 'select',
  });
  return button.accept && value !== null && workPathSchema.safeParse(value.folder).success ? value : null;
}

/** What will move, and what to do with files that stand in the way; null: nothing is to move. */
export async function confirmCopy(
  trans: TranslationBundle,
  title: string,
  plan: Plan,
  { yes, usual }: { readonly yes: string; readonly usual: WhenInTheWay },
): Promise<WhenInTheWay | null> {
  const standing = plan.files.filter(({ inTheWay }) => inTheWay);
  const lines = [
    amount(trans, plan.files.length, plan.sizeBytes),
    ...(standing.length === 0
      ? []
      : [
          trans._n(
            '%1 of them is there already: %2.',
            '%1 of them are there already, such as %2.',
            standing.length,
            standing[0]?.to ?? '',
          ),
        ]),
  ];
  const body = new Widget();
  for (const line of lines) {
    const paragraph = document.createElement('p');
    paragraph.textContent = line;
    body.node.append(paragraph);
  }
  const answers: readonly (readonly [WhenInTheWay, string])[] =
    standing.length === 0
      ? [['replace', yes]]
      : [
          ['skip', trans.__('Skip')],
          ['replace', trans.__('Replace')],
          ['keep-both', trans.__('Keep both')],
        ];
  const { button } = await showDialog({
    title,
    body,
    buttons: [
      Dialog.cancelButton(),
      ...answers.map(([actions, label]) =>
        actions === 'replace' && standing.length > 0
          ? Dialog.warnButton({ label, actions: [actions] })
          : Dialog.okButton({ label, actions: [actions] }),
      ),
    ],
    // Enter never replaces anything.
    defaultButton:
      1 +
      Math.max(
        0,
        answers.findIndex(([answer]) => answer === usual),
      ),
  });
  return answers.find(([answer]) => button.actions.includes(answer))?.[0] ?? null;
}
