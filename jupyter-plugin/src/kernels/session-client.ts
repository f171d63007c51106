/**
 * Sessions over all servers. A notebook that moves to another server keeps its session in JupyterLab's eyes: the id
 * it knows is mapped to the real one, made on the target before the old one is ended.
 */
import { type Kernel, type ServerConnection, type Session, SessionAPI } from '@jupyterlab/services';
import { startPlace } from './clients.ts';
import { asKeptThere, asSeenHere, hidesScope } from './scope.ts';
import type { Document } from './scope.ts';
import type { Places, RemotePlace } from './places.ts';

type Settings = ServerConnection.ISettings;
type Change = Parameters<Session.ISessionAPIClient['update']>[0];

interface Home {
  readonly place: RemotePlace | null;
  readonly id: string;
}

export class SessionClient implements Session.ISessionAPIClient {
  readonly #places: Places;
  readonly #scope: string;
  /** Where a session that moved really is. */
  readonly #moved = new Map<string, Home>();
  /** The other way round: the id it goes by. */
  readonly #publicIds = new Map<string, string>();
  /** Real ids that a move left behind, hidden until their servers forget them. */
  readonly #retired = new Set<string>();
  /** Their ends, by server and document: asked for a new one meanwhile, a server would give the one that ends. */
  readonly #ending = new Map<string, Promise<void>>();
  readonly #homes = new Map<string, string>();
  /** Sessions to be given to whoever asks for a new one of this kernel. */
  readonly #adoptions = new Map<string, Home>();

  /** @param scope names the folder that this JupyterLab serves, among all that use the same clusters. */
  constructor(places: Places, scope: string) {
    this.#places = places;
    this.#scope = scope;
  }

  get serverSettings(): Settings {
    return this.#places.local;
  }

  listRunning(): Promise<Session.IModel[]> {
    return this.#places.listed(async () => {
      const [local] = await Promise.all([
        SessionAPI.listRunning(this.#places.local),
        ...this.#places.remote.map(place => place.sessions.list()),
      ]);
      const remote = this.#places.remote.flatMap(place => {
        const mine = place.sessions.items.filter(({ name }) => !hidesScope(name, this.#scope));
        return this.#visible(place, mine);
      });
      return [...this.#visible(null, local), ...remote];
    });
  }

  async getModel(id: string): Promise<Session.IModel> {
    const home = this.#home(id);
    const model = await this.#call(home.place, settings => SessionAPI.getSessionModel(home.id, settings));
    return this.#show(home.place, model);
  }

  async startNew(options: Session.ISessionOptions): Promise<Session.IModel> {
    const kernelId = idOf(options.kernel);
    const adopted = this.#adoptions.get(kernelId ?? '');
    if (adopted !== undefined && kernelId !== null) {
      this.#adoptions.delete(kernelId);
      return this.#patch(adopted, { id: adopted.id, path: options.path });
    }
    return this.#start(options, kernelId);
  }

  async shutdown(id: string): Promise<void> {
    const { place, id: realId } = this.#home(id);
    await this.#call(place, settings => SessionAPI.shutdownSession(realId, settings));
    place?.drop(place.sessions.items.find(known => known.id === realId)?.kernel?.id);
    place?.sessions.drop(realId);
    this.#moved.delete(id);
    this.#publicIds.delete(realId);
  }

  async update(change: Change): Promise<Session.IModel> {
    const home = this.#home(change.id);
    const target = this.#target(change, home);
    if (target === home.place) {
      return this.#patch(home, change);
    }
    const kept = await this.#call(home.place, settings =>
      SessionAPI.getSessionModel(home.id, settings),
    ).catch(
      () =>
        home.place?.sessions.items.find(({ id }) => id === home.id) ??
        Promise.reject(new Error('The session is gone.')),
    );
    const { path, name, type } = this.#show(home.place, kept);
    await this.#ending.get(endingKey(target, path));
    const made = await this.#make(
      {
        path,
        type,
        name,
        ...(change.kernel === undefined || change.kernel === null ? {} : { kernel: change.kernel }),
      },
      idOf(change.kernel),
    );
    this.#moved.set(change.id, { place: target, id: made.id });
    this.#publicIds.delete(home.id);
    this.#publicIds.set(made.id, change.id);
    this.#retired.add(home.id);
    home.place?.sessions.drop(home.id);
    this.#end(home, endingKey(home.place, path));
    return this.#show(target, made);
  }

  #end({ place, id }: Home, key: string): void {
    const end = this.#call(place, settings => SessionAPI.shutdownSession(id, settings))
      .catch(() => undefined)
      .then(() => {
        if (this.#ending.get(key) === end) {
          this.#ending.delete(key);
        }
      });
    this.#ending.set(key, end);
  }

  /** The kernel of this document's session on the cluster, whose session is given to the next who asks for it. */
  async find(place: RemotePlace, path: string): Promise<string | null> {
    const models = await place.sessions.list();
    const model = models.find(
      found => asSeenHere(found, place.cluster.name).path === path && !hidesScope(found.name, this.#scope),
    );
    if (model === undefined || model.kernel === null) {
      return null;
    }
    this.#places.own(place, model.kernel);
    this.#adoptions.set(model.kernel.id, { place, id: model.id });
    return model.kernel.id;
  }

  #home(publicId: string): Home {
    const place = this.#places.remote.find(({ cluster }) => cluster.id === this.#homes.get(publicId));
    return this.#moved.get(publicId) ?? { place: place ?? null, id: publicId };
  }

  #target({ kernel }: Change, home: Home): RemotePlace | null {
    if (kernel === undefined || kernel === null) {
      return home.place;
    }
    const id = idOf(kernel);
    return id === null ? (startPlace(this.#places, kernel.name)?.place ?? null) : this.#places.ownerOf(id);
  }

  async #start(options: Session.ISessionOptions, kernelId: string | null): Promise<Session.IModel> {
    const made = await this.#make(options, kernelId);
    const place =
      kernelId === null
        ? startPlace(this.#places, options.kernel?.name)?.place
        : this.#places.ownerOf(kernelId);
    return this.#show(place ?? null, made);
  }

  /** The real session, on the server of the kernel or of the kernel's name. */
  async #make(options: Session.ISessionOptions, kernelId: string | null): Promise<Session.IModel> {
    const start = kernelId === null ? startPlace(this.#places, options.kernel?.name) : null;
    const place = kernelId === null ? (start?.place ?? null) : this.#places.ownerOf(kernelId);
    if (place === null) {
      const model = await SessionAPI.startSession(options, this.#places.local);
      this.#places.changed();
      return model;
    }
    const kernel: { id?: string; name?: string } =
      kernelId === null ? { name: start?.spec ?? 'python3' } : { id: kernelId };
    const model = await place.start(settings =>
      SessionAPI.startSession({ ...options, ...this.#kept(place, options), kernel }, settings),
    );
    this.#places.changed();
    place.put(model);
    return model;
  }

  async #patch({ place, id }: Home, change: Change): Promise<Session.IModel> {
    if (place === null) {
      const model = await SessionAPI.updateSession({ ...change, id }, this.#places.local);
      this.#places.changed();
      return this.#show(null, model);
    }
    const { kernel, name, path, ...rest } = change;
    const known = place.sessions.items.find(model => model.id === id);
    const seen = known === undefined ? undefined : asSeenHere(known, place.cluster.name);
    const document = { path: path ?? seen?.path ?? '', name: name ?? seen?.name ?? '' };
    const { path: keptPath, name: keptName } = this.#kept(place, document);
    const isNamed = name !== undefined || (path !== undefined && seen !== undefined);
    const model = await place.start(settings =>
      SessionAPI.updateSession(
        {
          ...rest,
          id,
          ...(path === undefined ? {} : { path: keptPath }),
          // The name tells where the document lies.
          ...(isNamed ? { name: keptName } : {}),
          ...(kernel === undefined || kernel === null ? {} : { kernel: this.#realKernel(kernel) }),
        },
        settings,
      ),
    );
    this.#places.changed();
    place.put(model);
    return this.#show(place, model);
  }

  #realKernel<K extends { name?: string | undefined }>(kernel: K): K {
    const named = kernel.name === undefined ? null : this.#places.named(kernel.name);
    return named === null ? kernel : { ...kernel, name: named.spec };
  }

  #visible(place: RemotePlace | null, models: readonly Session.IModel[]): Session.IModel[] {
    return models.filter(({ id }) => !this.#retired.has(id)).map(model => this.#show(place, model));
  }

  #show(place: RemotePlace | null, model: Session.IModel): Session.IModel {
    const id = this.#publicIds.get(model.id) ?? model.id;
    if (place === null) {
      this.#homes.delete(id);
      return { ...model, id };
    }
    this.#homes.set(id, place.cluster.id);
    const kernel: Kernel.IModel | null = model.kernel === null ? null : this.#places.own(place, model.kernel);
    return { ...model, ...asSeenHere(model, place.cluster.name), id, kernel };
  }

  #kept(place: RemotePlace, document: Document): Document {
    return asKeptThere(document, place.cluster.name, this.#scope);
  }

  #call<T>(place: RemotePlace | null, run: (settings: Settings) => Promise<T>): Promise<T> {
    return place === null ? run(this.#places.local) : place.call(run);
  }
}

const endingKey = (place: RemotePlace | null, path: string): string => `${place?.cluster.id ?? ''} ${path}`;

/** JupyterLab's types do not say that a kernel may be given by its id; its code does so. */
function idOf(kernel: unknown): string | null {
  const id: unknown = typeof kernel === 'object' && kernel !== null ? Reflect.get(kernel, 'id') : undefined;
  return typeof id === 'string' && id !== '' ? id : null;
}
