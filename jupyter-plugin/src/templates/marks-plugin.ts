/**
 * What is wrong with a template, above its `hitch.yaml` in an editor: said when it is opened and each time it is saved, in the
 * daemon's sentences, each a button that leads to its place. JupyterLab has no list of problems that a plugin could fill.
 */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import type { DocumentRegistry, IDocumentWidget } from '@jupyterlab/docregistry';
import { ITranslator } from '@jupyterlab/translation';
import { DisposableDelegate, type IDisposable } from '@lumino/disposable';
import { depsOf, type Deps } from '../actions/deps.ts';
import { IPreferences } from '../settings/settings.ts';
import { IHitch } from '../tokens.ts';
import type { TemplateMarks } from './marks.ts';

const FILE = /(?:^|\/)hitch\.yaml$/;

export const templateMarksPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyterlab-hitch:template-marks',
  description: 'Says what is wrong with a template above its file, with the place of each mistake.',
  autoStart: true,
  requires: [IHitch, IPreferences],
  optional: [ITranslator],
  activate: (app, hitch: IHitch, preferences: IPreferences, translator: ITranslator | null) => {
    const deps = depsOf(app, hitch, preferences, translator);
    app.docRegistry.addWidgetExtension('Editor', {
      createNew: (widget: IDocumentWidget, context: DocumentRegistry.Context) =>
        follow(app, deps, widget, context),
    });
  },
};

function follow(
  app: JupyterFrontEnd,
  deps: Deps,
  widget: IDocumentWidget,
  context: DocumentRegistry.Context,
): IDisposable {
  let marks: TemplateMarks | null = null;
  const look = async (): Promise<void> => {
    if (!FILE.test(context.path)) {
      return;
    }
    const { TemplateMarks: Marks } = await import('./marks.ts');
    if (widget.isDisposed) {
      return;
    }
    marks ??= new Marks(deps, app.serviceManager.contents, widget, context);
    await marks.check();
  };
  const saved = (_: unknown, state: DocumentRegistry.SaveState): void => {
    if (state === 'completed') {
      void look();
    }
  };
  context.saveState.connect(saved);
  void context.ready.then(look);
  return new DisposableDelegate(() => {
    context.saveState.disconnect(saved);
    marks?.dispose();
  });
}
