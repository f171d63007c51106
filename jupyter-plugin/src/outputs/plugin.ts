/** Outputs of clusters: what is active in them is drawn in frames, and notebooks come in without it. */
import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IThemeManager } from '@jupyterlab/apputils';
import { IConsoleTracker } from '@jupyterlab/console';
import { INotebookTracker } from '@jupyterlab/notebook';
import { IMarkdownParser, IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { Panel } from '@lumino/widgets';
import { isRemoteName } from '../kernels/names.ts';
import { IKernelRouter } from '../kernels/tokens.ts';
import { IHitch } from '../tokens.ts';
import { Assets } from './assets.ts';
import { FRAMED, isBundle } from './framed.ts';
import type { FramedOutputDeps } from './framed-output.ts';

/** Before everything that JupyterLab could draw of the same output. */
const RANK = -100;

/** Loads the code for frames when there is something to draw. */
class LazyOutput extends Panel implements IRenderMime.IRenderer {
  readonly #deps: FramedOutputDeps;
  #output: Promise<{ render(model: IRenderMime.IMimeModel): Promise<void> }> | null = null;

  constructor(deps: FramedOutputDeps) {
    super();
    this.#deps = deps;
  }

  async renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    this.#output ??= this.#load();
    await (await this.#output).render(model);
  }

  async #load() {
    const { FramedOutput } = await import('./framed-output.ts');
    const output = new FramedOutput(this.#deps);
    this.addWidget(output);
    return output;
  }
}

/** The kernel's name, where a notebook's outputs are, or may be, those of a cluster's kernel; else null. */
function clustersKernel(content: unknown): string | null {
  const metadata = isBundle(content) ? content['metadata'] : null;
  const spec = isBundle(metadata) ? metadata['kernelspec'] : null;
  const name = isBundle(spec) ? spec['name'] : null;
  return typeof name === 'string' && isRemoteName(name) ? name : null;
}

export const outputsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyterlab-hitch:outputs',
  description: 'Shows active outputs of clusters in frames that cannot access JupyterLab.',
  autoStart: true,
  requires: [IHitch, IKernelRouter, IRenderMimeRegistry],
  optional: [IMarkdownParser, INotebookTracker, IConsoleTracker, IThemeManager, ITranslator],
  activate: (
    app,
    hitch: IHitch,
    router: IKernelRouter,
    rendermime: IRenderMimeRegistry,
    markdown: IRenderMime.IMarkdownParser | null,
    notebooks: INotebookTracker | null,
    consoles: IConsoleTracker | null,
    themes: IThemeManager | null,
    translator: ITranslator | null,
  ) => {
    const { comms, places } = router;
    const kernelOf = (id: string) => {
      const contexts = [
        ...(notebooks?.filter(() => true) ?? []),
        ...(consoles?.filter(() => true) ?? []),
      ].map(({ sessionContext }) => sessionContext.session?.kernel ?? null);
      return places.ownerOf(id) === null ? null : (contexts.find(kernel => kernel?.id === id) ?? null);
    };
    const deps: FramedOutputDeps = {
      assets: new Assets(hitch.serverSettings),
      comms,
      trans: (translator ?? nullTranslator).load('jupyterlab_hitch'),
      kernelOf,
      isOn: (kernel, name) => {
        const owner = places.ownerOf(kernel);
        return owner !== null && places.named(name)?.place === owner;
      },
      isLight: () => (themes?.theme ?? null) === null || themes?.isLight(themes.theme ?? '') !== false,
      rendermime,
      markdown,
    };
    rendermime.addFactory(
      { safe: true, mimeTypes: [FRAMED], createRenderer: () => new LazyOutput(deps) },
      RANK,
    );
    themes?.themeChanged.connect(
      () => void import('./framed-output.ts').then(({ tellTheme }) => tellTheme()),
    );
    const { contents } = app.serviceManager;
    const get = contents.get.bind(contents);
    // JupyterLab has one manager of contents, which others hold already, so that very object is changed.
    contents.get = async (path, options) => {
      const model = await get(path, options);
      const on = model.type === 'notebook' && model.content !== null ? clustersKernel(model.content) : null;
      // A cluster's drive has looked at its own already, and knows better than the file whose it is.
      return on === null || hitch.clusters.some(({ name }) => name === contents.driveName(path))
        ? model
        : { ...model, content: (await import('./neutral.ts')).neutralNotebook(model.content, on, false) };
    };
  },
};
