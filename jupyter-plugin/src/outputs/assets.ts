/** Programs for the frames. They lie beside the plugin's own, and the page fetches them: a frame reaches no server. */
import { PageConfig, URLExt } from '@jupyterlab/coreutils';
import type { ServerConnection } from '@jupyterlab/services';

export type Asset = 'outer' | 'inner' | 'plotly' | 'vega' | 'widgets';

export class Assets {
  readonly #settings: ServerConnection.ISettings;
  readonly #texts = new Map<Asset, Promise<string>>();

  constructor(settings: ServerConnection.ISettings) {
    this.#settings = settings;
  }

  /** @throws Error with a sentence. One that failed is fetched again the next time. */
  get(name: Asset): Promise<string> {
    const known = this.#texts.get(name) ?? this.#fetch(name);
    this.#texts.set(name, known);
    known.catch(() => this.#texts.delete(name));
    return known;
  }

  async #fetch(name: Asset): Promise<string> {
    const extensions = PageConfig.getOption('fullLabextensionsUrl');
    const url = URLExt.join(extensions, 'jupyterlab-hitch', 'static', 'frame', `${name}.js`);
    // Where the plugin's own chunks come from, which need not be below the server's base URL.
    const response = await this.#settings.fetch.call(null, url);
    if (!response.ok) {
      throw new Error(
        `This Jupyter server did not deliver ${name}.js (HTTP ${response.status.toString()}). Reload the page.`,
      );
    }
    return response.text();
  }
}
