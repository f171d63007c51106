/** Save now: which files and folders, then a copy to this computer that is followed. */
import type { Cluster } from '@hitch/contract';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';
import { followCopy } from '../copies/follow.ts';
import { setText } from '../ui/text.ts';
import { ask } from './ask.ts';
import type { Deps } from './deps.ts';
import { failed } from './report.ts';
import { readPaths, typedFrom } from './save-words.ts';

/** Not a lit template: the field is to have the focus as soon as the dialog is there. */
class PathsForm extends Widget {
  readonly #field = document.createElement('input');

  constructor(trans: TranslationBundle, text: string) {
    super();
    this.addClass('jp-Hitch-dialogBody');
    this.addClass('jp-Hitch-form');
    const label = document.createElement('label');
    const words = document.createElement('span');
    setText(words, trans.__('Files and folders in ~/work'));
    this.#field.className = 'jp-mod-styled';
    this.#field.name = 'save-paths';
    this.#field.value = text;
    this.#field.placeholder = trans.__('results, model.pt');
    this.#field.spellcheck = false;
    label.append(words, this.#field);
    const note = document.createElement('p');
    note.className = 'jp-Hitch-quiet';
    setText(note, trans.__('Separated by commas; ~/work saves everything.'));
    this.node.append(label, note);
  }

  get text(): string {
    return this.#field.value;
  }
}

/** @param text what is in the field at first; what is named for the cluster when left out. */
export async function saveNow(deps: Deps, cluster: Cluster, text?: string): Promise<void> {
  const { trans } = deps;
  const named = typedFrom(cluster.save.paths);
  const form = new PathsForm(trans, text ?? named);
  const answer = await ask<'save'>(trans, {
    title: trans.__('Save from %1', cluster.name),
    body: form,
    choices: [{ value: 'save', label: trans.__('Save') }],
    usual: 'save',
    focus: 'input',
  });
  if (answer === null) {
    return;
  }
  const typed = form.text;
  const { paths, problem } = readPaths(typed, trans);
  if (problem === null) {
    // A name with a comma in it can be named when the cluster is rented, though not here.
    await followSave(deps, cluster, typed === named ? undefined : paths);
  } else {
    failed(problem, { label: trans.__('Try again'), run: () => void saveNow(deps, cluster, typed) });
  }
}

/** @param paths those named for the cluster when left out. */
async function followSave(deps: Deps, { id, name }: Cluster, paths?: readonly string[]): Promise<void> {
  const { hitch, trans } = deps;
  const { api } = hitch.client;
  await followCopy({
    trans,
    api,
    name,
    doing: trans.__('Saving from %1', name),
    done: trans.__('Saved from %1', name),
    start: async () => {
      const copy = await api.clusters.save({
        clusterId: id,
        ...(paths === undefined ? {} : { paths: [...paths] }),
      });
      // From now on the cluster says how far it is.
      void hitch.refresh();
      return copy;
    },
    ended: () => hitch.refresh(),
  });
}
