/** The pages of the documentation, which lie beside the plugin's own files, drawn by JupyterLab. */
import { PageConfig, PathExt, URLExt } from '@jupyterlab/coreutils';
import { type IRenderMimeRegistry, MimeModel } from '@jupyterlab/rendermime';
import type { ServerConnection } from '@jupyterlab/services';
import { PanelLayout, Widget } from '@lumino/widgets';
import { sentenceOf } from '../actions/report.ts';
import { setText } from '../ui/text.ts';

const MARKDOWN = 'text/markdown';

const addressOf = (path: string): string =>
  URLExt.join(PageConfig.getOption('fullLabextensionsUrl'), 'jupyterlab-hitch', 'static', 'docs', path);

export class DocumentationView extends Widget {
  readonly #renderers: IRenderMimeRegistry;
  readonly #settings: ServerConnection.ISettings;
  readonly #panel = new PanelLayout();
  /** Which page was asked for last: an answer that comes later than another's is not shown. */
  #asked = '';

  constructor(renderers: IRenderMimeRegistry, settings: ServerConnection.ISettings) {
    super();
    this.#renderers = renderers;
    this.#settings = settings;
    this.layout = this.#panel;
    this.addClass('jp-Hitch-documentation');
    this.node.tabIndex = 0;
  }

  /** @param path below the folder of the pages, such as `start/vscode.md`. */
  async open(path: string, heading = ''): Promise<void> {
    this.#asked = path;
    const page = await this.#render(path);
    if (this.#asked !== path || this.isDisposed) {
      page.dispose();
      return;
    }
    for (const old of [...this.#panel.widgets]) {
      old.dispose();
    }
    this.#panel.addWidget(page);
    this.node.scrollTop = 0;
    if (heading !== '') {
      this.#headingOf(heading)?.scrollIntoView();
    }
  }

  #headingOf(anchor: string): Element | undefined {
    const plain = (text: string): string => text.toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, '');
    return [...this.node.querySelectorAll('h1, h2, h3')].find(
      ({ textContent }) => plain(textContent) === plain(anchor),
    );
  }

  async #render(path: string): Promise<Widget> {
    const text = await this.#text(path);
    if (typeof text !== 'string') {
      const wrong = new Widget();
      setText(wrong.node, text.problem);
      return wrong;
    }
    const page = this.#renderers
      .clone({
        resolver: {
          resolveUrl: url => Promise.resolve(PathExt.join(PathExt.dirname(path), url)),
          getDownloadUrl: to => Promise.resolve(addressOf(to)),
          isLocal: url => !/^[a-z][a-z0-9+.-]*:/i.test(url),
        },
        linkHandler: {
          handleLink: (node, to, heading) => {
            node.addEventListener('click', event => {
              event.preventDefault();
              void this.open(to === '' ? path : to, heading?.replace(/^#/, ''));
            });
          },
        },
      })
      .createRenderer(MARKDOWN);
    await page.renderModel(new MimeModel({ data: { [MARKDOWN]: text } }));
    return page;
  }

  async #text(path: string): Promise<string | { readonly problem: string }> {
    try {
      const answer = await this.#settings.fetch.call(null, addressOf(path));
      return answer.ok
        ? await answer.text()
        : { problem: `This Jupyter server has no page ${path} (HTTP ${answer.status.toString()}).` };
    } catch (error) {
      return { problem: sentenceOf(error) };
    }
  }
}
