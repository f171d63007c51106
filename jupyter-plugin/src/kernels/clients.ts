/** JupyterLab's own managers ask these for kernels and kernelspecs: each question goes to whose it is. */
import {
  type Kernel,
  KernelAPI,
  type KernelSpec,
  KernelSpecAPI,
  type ServerConnection,
} from '@jupyterlab/services';
import { ghostSpec, publicSpec, readKernelName } from './names.ts';
import type { Places, RemotePlace } from './places.ts';

/** A kernel was asked for on a cluster that has none now. */
export class ClusterAway extends Error {
  override readonly name = 'ClusterAway';
  readonly kernelName: string;

  constructor(kernelName: string) {
    super(
      `${readKernelName(kernelName)?.cluster ?? kernelName} is not running, so it has no kernel. Start it again in the GPUs panel, or choose another kernel.`,
    );
    this.kernelName = kernelName;
  }
}

/** Where a kernel of this name is to start. @throws ClusterAway */
export function startPlace(
  places: Places,
  name: string | undefined,
): { place: RemotePlace; spec: string } | null {
  const named = name === undefined ? null : places.named(name);
  if (named === null || name === undefined) {
    return null;
  }
  const { place, spec } = named;
  if (place === null) {
    throw new ClusterAway(name);
  }
  return { place, spec };
}

export class SpecClient implements KernelSpec.IKernelSpecAPIClient {
  readonly #places: Places;

  constructor(places: Places) {
    this.#places = places;
  }

  get serverSettings(): ServerConnection.ISettings {
    return this.#places.local;
  }

  async get(): Promise<KernelSpec.ISpecModels> {
    const [local] = await Promise.all([
      KernelSpecAPI.getSpecs(this.#places.local),
      ...this.#places.remote.map(place => place.specs.list()),
    ]);
    // Read last: JupyterLab does not ask again for what comes while it waits for this answer.
    const remote = this.#places.remote.flatMap(({ specs, cluster }) =>
      specs.items.map(spec => publicSpec(spec, cluster)),
    );
    const found = new Map(remote.map(spec => [spec.name, spec]));
    const ghosts = [...this.#places.ghosts]
      .filter(([name]) => !found.has(name))
      .map(([name, language]) => ghostSpec(name, language));
    return {
      default: local.default,
      kernelspecs: {
        ...local.kernelspecs,
        ...Object.fromEntries([...ghosts, ...found.values()].map(spec => [spec.name, spec])),
      },
    };
  }
}

export class KernelClient implements Kernel.IKernelAPIClient {
  readonly #places: Places;

  constructor(places: Places) {
    this.#places = places;
  }

  get serverSettings(): ServerConnection.ISettings {
    return this.#places.local;
  }

  listRunning(): Promise<Kernel.IModel[]> {
    return this.#places.listed(async () => {
      const [local] = await Promise.all([
        KernelAPI.listRunning(this.#places.local),
        ...this.#places.remote.map(place => place.kernels.list()),
      ]);
      const remote = this.#places.remote.flatMap(place =>
        place.runningKernels.map(model => this.#places.own(place, model)),
      );
      return [...local, ...remote];
    });
  }

  async getModel(id: string): Promise<Kernel.IModel | undefined> {
    const place = this.#places.ownerOf(id);
    if (place === null) {
      return KernelAPI.getKernelModel(id, this.#places.local);
    }
    const model = await place.call(settings => KernelAPI.getKernelModel(id, settings));
    return model === undefined ? undefined : this.#places.own(place, model);
  }

  async startNew(options: Kernel.IKernelOptions = {}): Promise<Kernel.IModel> {
    const start = startPlace(this.#places, options.name);
    if (start === null) {
      const model = await KernelAPI.startNew(options, this.#places.local);
      this.#places.changed();
      return model;
    }
    const { place, spec } = start;
    const model = await place.start(settings => KernelAPI.startNew({ ...options, name: spec }, settings));
    this.#places.changed();
    place.kernels.put(model);
    return this.#places.own(place, model);
  }

  restart(id: string): Promise<void> {
    return this.#call(id, settings => KernelAPI.restartKernel(id, settings));
  }

  interrupt(id: string): Promise<void> {
    return this.#call(id, settings => KernelAPI.interruptKernel(id, settings));
  }

  async shutdown(id: string): Promise<void> {
    await this.#call(id, settings => KernelAPI.shutdownKernel(id, settings));
    this.#places.ownerOf(id)?.drop(id);
  }

  #call(id: string, run: (settings: ServerConnection.ISettings) => Promise<void>): Promise<void> {
    const place = this.#places.ownerOf(id);
    return place === null ? run(this.#places.local) : place.call(run);
  }
}
