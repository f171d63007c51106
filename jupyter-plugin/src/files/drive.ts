/**
 * One cluster's files as a drive of JupyterLab: its Jupyter Server's own contents, by way of the relay. While the
 * cluster does not answer, folders are shown as they were last seen and errors are one sentence, once a file.
 */
import type { Cluster } from '@hitch/contract';
import { URLExt } from '@jupyterlab/coreutils';
import { type Contents, Drive, ServerConnection } from '@jupyterlab/services';
import { type ISignal, Signal } from '@lumino/signaling';
import { kernelName } from '../kernels/names.ts';
import { neutralNotebook } from '../outputs/neutral.ts';
import { asKeptThere, asSeenHere } from './notebook-names.ts';

export type DriveState = 'reachable' | 'unreachable' | 'gone';

export interface ClusterDriveOptions {
  readonly cluster: Pick<Cluster, 'id' | 'name' | 'jupyterPath'>;
  /** Those of the cluster's Jupyter API. */
  readonly serverSettings: ServerConnection.ISettings;
  /** What to say of a cluster that does not answer, and of one that is over. */
  readonly sentence: (state: 'unreachable' | 'gone', name: string) => string;
}

/** A folder that does not come within this is taken for out of reach: browsers grant six connections a host. */
const FOLDER_WITHIN_MS = 10_000;
const KEPT_FOLDERS = 300;

export class ClusterDrive extends Drive {
  readonly clusterId: Cluster['id'];
  readonly #sentence: ClusterDriveOptions['sentence'];
  readonly #stateChanged = new Signal<this, DriveState>(this);
  readonly #folders = new Map<string, Contents.IModel>();
  readonly #complained = new Set<string>();
  #state: DriveState = 'reachable';

  constructor({ cluster, serverSettings, sentence }: ClusterDriveOptions) {
    super({ name: cluster.name, serverSettings: bounded(serverSettings) });
    this.clusterId = cluster.id;
    this.#sentence = sentence;
  }

  get state(): DriveState {
    return this.#state;
  }

  get stateChanged(): ISignal<this, DriveState> {
    return this.#stateChanged;
  }

  /** For people; empty while all is well. */
  get sentence(): string {
    return this.#state === 'reachable' ? '' : this.#sentence(this.#state, this.name);
  }

  /** The cluster has ended, or has come back. */
  setGone(gone: boolean): void {
    if (gone !== (this.#state === 'gone')) {
      this.#become(gone ? 'gone' : 'reachable');
    }
  }

  #become(state: DriveState): void {
    if (state !== this.#state) {
      this.#state = state;
      this.#complained.clear();
      this.#stateChanged.emit(state);
    }
  }

  /** @throws Error with one sentence; the second about a file in a row is one that JupyterLab shows in no dialog. */
  async #guard<T>(path: string, run: () => Promise<T>): Promise<T> {
    if (this.#state === 'gone') {
      throw this.#complaint(path);
    }
    try {
      const value = await run();
      this.#become('reachable');
      return value;
    } catch (error) {
      if (!isAway(error)) {
        throw error;
      }
      if (this.state !== 'gone') {
        this.#become('unreachable');
      }
      throw this.#complaint(path, error);
    }
  }

  #complaint(path: string, cause?: unknown): Error {
    const error = new Error(this.sentence, { cause });
    if (this.#complained.has(path)) {
      // JupyterLab saves by itself every other minute; a dialog each time would hide the one sentence that counts.
      error.name = 'ModalCancelError';
    }
    this.#complained.add(path);
    return error;
  }

  override async get(path: string, options?: Contents.IFetchOptions): Promise<Contents.IModel> {
    try {
      const model = await this.#guard(path, () => super.get(path, options));
      if (model.type === 'directory' && Array.isArray(model.content)) {
        this.#keep(path, model);
      }
      return model.type === 'notebook' ? { ...model, content: this.#notebook(model.content) } : model;
    } catch (error) {
      const last = this.#folders.get(path);
      if (this.state === 'unreachable' && last !== undefined && options?.type === undefined) {
        return last;
      }
      throw error;
    }
  }

  /** Whatever kernel made it: the file itself lies with a stranger, who says of it that it is trusted. */
  #notebook(content: unknown): unknown {
    return neutralNotebook(asSeenHere(content, this.name), kernelName(this.name, ''), true);
  }

  #keep(path: string, model: Contents.IModel): void {
    this.#folders.delete(path);
    this.#folders.set(path, model);
    const [oldest] = this.#folders.keys();
    if (this.#folders.size > KEPT_FOLDERS && oldest !== undefined) {
      this.#folders.delete(oldest);
    }
  }

  override async save(path: string, options: Partial<Contents.IModel> = {}): Promise<Contents.IModel> {
    const kept =
      options.type === 'notebook'
        ? { ...options, content: asKeptThere(options.content, this.name) }
        : options;
    return this.#guard(path, () => super.save(path, kept));
  }

  /** The bytes, to be saved by the browser and never to be shown by it. */
  override getDownloadUrl(path: string): Promise<string> {
    const cluster = this.serverSettings.baseUrl.replace(/jupyter\/$/, '');
    return Promise.resolve(
      `${URLExt.join(cluster, 'raw-files')}?${new URLSearchParams({ path }).toString()}`,
    );
  }

  override newUntitled(options?: Contents.ICreateOptions): Promise<Contents.IModel> {
    return this.#guard(options?.path ?? '', () => super.newUntitled(options));
  }

  override delete(path: string): Promise<void> {
    return this.#guard(path, () => super.delete(path));
  }

  override rename(path: string, newPath: string): Promise<Contents.IModel> {
    return this.#guard(path, () => super.rename(path, newPath));
  }

  override copy(path: string, toFolder: string): Promise<Contents.IModel> {
    return this.#guard(path, () => super.copy(path, toFolder));
  }

  override createCheckpoint(path: string): Promise<Contents.ICheckpointModel> {
    return this.#guard(path, () => super.createCheckpoint(path));
  }

  override listCheckpoints(path: string): Promise<Contents.ICheckpointModel[]> {
    return this.#guard(path, () => super.listCheckpoints(path));
  }
}

/** No answer, or the relay's word that the cluster gives none. */
function isAway(error: unknown): boolean {
  return error instanceof ServerConnection.ResponseError
    ? [502, 503, 504].includes(error.response.status)
    : error instanceof ServerConnection.NetworkError ||
        (error instanceof DOMException && ['TimeoutError', 'AbortError'].includes(error.name));
}

/**
 * JupyterLab writes JSON and lets the browser call it `text/plain`, which the relay does not take. A request without a
 * `type` is a browser's look at a folder.
 */
function bounded(settings: ServerConnection.ISettings): ServerConnection.ISettings {
  const bounding = (input: RequestInfo, init?: RequestInit): Promise<Response> => {
    const request = new Request(input, init);
    const isRead = request.method === 'GET';
    if (!isRead) {
      request.headers.set('content-type', 'application/json');
    }
    const isLook = isRead && !new URL(request.url).searchParams.has('type');
    const within = isLook ? { signal: AbortSignal.timeout(FOLDER_WITHIN_MS) } : undefined;
    // A browser's own `fetch` refuses to be a method of the settings.
    return settings.fetch.call(null, request, within);
  };
  return { ...settings, fetch: bounding };
}
