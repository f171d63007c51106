/** Says in an open document that its cluster does not answer, or is over, and keeps what was written. */
import { MainAreaWidget } from '@jupyterlab/apputils';
import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { IDocumentManager } from '@jupyterlab/docmanager';
import type { DocumentRegistry } from '@jupyterlab/docregistry';
import type { Contents } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';
import { sentenceOf } from '../actions/report.ts';
import { notify } from '../ui/notify.ts';
import { setText } from '../ui/text.ts';
import type { ClusterDrive } from './drive.ts';
import type { ClusterDrives } from './drives.ts';
import { freeName, nameOf, splitDrive } from './paths.ts';

export interface AwayNotesOptions {
  readonly shell: JupyterFrontEnd.IShell;
  readonly documents: IDocumentManager;
  readonly drives: ClusterDrives;
  readonly trans: TranslationBundle;
}

export class AwayNotes {
  readonly #options: AwayNotesOptions;
  readonly #notes = new Map<Widget, Widget>();

  constructor(options: AwayNotesOptions) {
    this.#options = options;
    options.drives.changed.connect(this.#look, this);
  }

  #look(): void {
    const { shell, documents, drives } = this.#options;
    for (const widget of shell.widgets('main')) {
      const context = documents.contextForWidget(widget);
      const place = splitDrive(context?.path ?? '', name => drives.byName(name) !== undefined);
      const drive = place === null ? undefined : drives.byName(place.drive);
      const said = this.#notes.get(widget);
      if (said !== undefined && said.node.firstChild?.textContent === drive?.sentence) {
        continue;
      }
      said?.dispose();
      this.#notes.delete(widget);
      if (context !== undefined && drive !== undefined && drive.state !== 'reachable') {
        this.#say(widget, context, drive);
      }
    }
  }

  #say(widget: Widget, context: DocumentRegistry.Context, drive: ClusterDrive): void {
    if (!(widget instanceof MainAreaWidget)) {
      return;
    }
    const { trans } = this.#options;
    const note = new Widget();
    note.addClass('jp-HitchAway');
    note.node.setAttribute('role', 'status');
    const text = document.createElement('span');
    setText(text, drive.sentence);
    const button = document.createElement('button');
    button.className = 'jp-mod-styled';
    setText(button, trans.__('Save a copy in this JupyterLab'));
    button.addEventListener('click', () => void this.#keep(context));
    note.node.append(text, button);
    widget.contentHeader.addWidget(note);
    this.#notes.set(widget, note);
    widget.disposed.connect(this.#forget, this);
  }

  #forget(widget: Widget): void {
    this.#notes.delete(widget);
  }

  async #keep(context: DocumentRegistry.Context): Promise<void> {
    const { documents } = this.#options;
    const { contents } = documents.services;
    // What the server said last about the document has no format when it answered a save.
    const [known] = documents.registry.getFileTypesForPath(context.localPath);
    const type = known?.contentType ?? 'file';
    const format = known?.fileFormat ?? 'text';
    const content: unknown = format === 'json' ? context.model.toJSON() : context.model.toString();
    try {
      const root = await contents.get('', { type: 'directory' });
      const names = new Set((root.content as Contents.IModel[]).map(({ name }) => name));
      const path = freeName(nameOf(context.localPath), names);
      await contents.save(path, { type, format, content });
      context.model.dirty = false;
      documents.openOrReveal(path);
    } catch (error) {
      notify('error', sentenceOf(error));
    }
  }
}
