/** The kernel bridge: clusters in Jupyter's kernel picker, and the way their traffic goes. */
import * as vscode from 'vscode';
import type { JupyterServer, JupyterServerCollection } from '@vscode/jupyter-extension';
import { systemClock } from '@hitch/platform/src/clock.ts';
import type { Cluster, Preset } from '@hitch/contract';
import { HitchError } from '@hitch/contract/src/errors.ts';
import { editorLine } from '@hitch/contract/src/shown/places.ts';
import type { State } from '../daemon/state.ts';
import { type KernelSpecs, kernelSpecsSchema } from '../kernel/controller-id.ts';
import { KernelServers } from '../kernel/servers.ts';
import { sentence } from '../sentence.ts';
import { accessJupyter, type ConnectionInformation } from './jupyter-api.ts';
import { KernelCollections } from './kernel-collections.ts';
import { warn } from './messages.ts';
import { disposable, type Host, type Module } from './module.ts';

/** Of the line in Jupyter's picker that rents; each cluster has a collection of its own. */
export const RENT_COLLECTION_ID = 'hitch';
const RENT_LABEL = 'Rent GPUs…';
const presetLine = ({ label }: Preset): string => editorLine(`Rent: ${label}`);

export interface KernelApi {
  /** Null while Jupyter is here and the clusters are in its picker; else one sentence. */
  readonly problem: () => string | null;
  /** Asks for Jupyter where nobody has yet; resolves once it is known whether it is here. */
  whenReady(): Promise<void>;
  /** What activation has to wait for: nothing, unless a notebook may look for its server at once. */
  readonly atActivation: Promise<void>;
  /** The kernels that can be started on a cluster. @throws HitchError with a sentence. */
  specsOf(cluster: Cluster): Promise<KernelSpecs>;
  /** Fires with a cluster's id when Jupyter asks for its address. */
  readonly onDidResolve: vscode.Event<string>;
}

/** Rents and waits until a notebook can run; null when given up. */
export type RentForKernel = () => Promise<Cluster | null>;

export function createKernelModule(host: Host, rent: RentForKernel): Module<KernelApi> {
  const { connection, memory, contextKeys, log } = host;
  const { model, place } = connection;
  const resolved = new vscode.EventEmitter<string>();
  const servers = new KernelServers({
    state: () => model.state,
    remembered: memory.get('servers'),
    baseUrl: async () => (await place.ensure()).baseUrl,
  });
  /** One fetch and one socket class for all clusters: sockets of one class share what they have seen. */
  const makeTraffic = async () => {
    const [{ createKernelFetch }, { createKernelSocket }] = await Promise.all([
      import('../kernel/fetch.ts'),
      import('../kernel/socket.ts'),
    ]);
    return {
      fetch: createKernelFetch({
        isOurs: url => servers.isOurs(url),
        current: () => place.current().catch(() => place.ensure()),
        doubt: () => place.doubt(),
        sleep: ms => systemClock.sleep(ms),
      }),
      WebSocket: createKernelSocket({
        isOurs: url => servers.isOurs(url),
        last: () => place.last,
        lost: () => {
          place.doubt();
          place.current().catch((error: unknown) => log.debug('The daemon is away', String(error)));
        },
        setTimer: (run, ms) => systemClock.setTimer(run, ms),
        now: () => systemClock.now(),
        random: Math.random,
      }),
    };
  };
  let traffic: ReturnType<typeof makeTraffic> | null = null;

  const information = async (id: string): Promise<ConnectionInformation> => ({
    baseUrl: vscode.Uri.parse(await servers.resolve(id)),
    // For callers that do not know the overrides; read anew each time the object is looked at.
    headers: {
      get authorization() {
        return `Bearer ${place.last?.token ?? ''}`;
      },
    },
    ...(await (traffic ??= makeTraffic())),
  });
  const resolve = async (server: JupyterServer): Promise<JupyterServer> => {
    resolved.fire(server.id);
    try {
      return { ...server, connectionInformation: await information(server.id) };
    } catch (error) {
      void warn(sentence(error));
      throw error;
    }
  };
  const specsOf = async (cluster: Cluster): Promise<KernelSpecs> => {
    const { baseUrl, fetch } = await information(cluster.id);
    const answer = await fetch(`${baseUrl.toString(true)}api/kernelspecs`);
    const parsed = kernelSpecsSchema.safeParse(await answer.json().catch(() => null));
    if (!parsed.success) {
      throw new HitchError('UNREACHABLE', `The kernels of ${cluster.name} could not be listed.`, {
        next: 'Try again in a moment, or see Logs on its row.',
      });
    }
    return parsed.data;
  };
  /** The picker's own way to rent. What was rented is given to the notebook as Run on… does, in its own collection. */
  const rentProvider = {
    // Called at each key that is typed into the picker: memory only.
    provideCommands: () => [
      {
        label: RENT_LABEL,
        description: 'You see the price before anything is rented',
        canBeAutoSelected: true,
      },
      ...model.state.presets.map(preset => ({
        label: presetLine(preset),
        description: editorLine(preset.detail),
      })),
    ],
    handleCommand: async ({ label }: { readonly label: string }): Promise<undefined> => {
      // The one whose picker it is: another may be in front when the machine is ready.
      const notebook = vscode.window.activeNotebookEditor?.notebook;
      const preset = model.state.presets.find(known => presetLine(known) === label);
      if (preset !== undefined) {
        void vscode.commands.executeCommand('hitch.rent.quick', preset.id, notebook?.uri.toString());
        throw new vscode.CancellationError();
      }
      const cluster = await rent();
      if (cluster === null) {
        return undefined;
      }
      void vscode.commands.executeCommand('hitch.cluster.runOn', cluster.id, notebook?.uri.toString());
      // What ends Jupyter's picker; an answer without a server would show it again.
      throw new vscode.CancellationError();
    },
  };

  let problem: string | null = 'Jupyter is still starting.';
  let collections: KernelCollections | null = null;
  let renting: JupyterServerCollection | null = null;
  const register = (): Promise<void> =>
    accessJupyter().then(
      access => {
        if ('missing' in access) {
          problem = access.missing;
          log.info(access.missing);
        } else {
          collections = new KernelCollections(access.api, resolve);
          collections.follow(servers.list());
          // Called from this very bundle: Jupyter finds out from the call stack whose collection it is.
          renting = access.api.createJupyterServerCollection(RENT_COLLECTION_ID, `Hitch: ${RENT_LABEL}`, {
            provideJupyterServers: () => [],
            resolveJupyterServer: resolve,
          });
          renting.commandProvider = rentProvider;
          problem = null;
        }
        contextKeys.set('hitch.canRunNotebooks', problem === null);
      },
      (error: unknown) => {
        problem = `The Jupyter extension did not start: ${sentence(error)}`;
        log.error(problem);
        contextKeys.set('hitch.canRunNotebooks', false);
      },
    );

  let ready: Promise<void> | null = null;
  const whenReady = (): Promise<void> => (ready ??= register());
  // Jupyter is not woken in every window: only where a notebook is, or may be about to ask for a cluster it knows.
  const isNotebook = ({ notebookType }: vscode.NotebookDocument) =>
    /^(?:jupyter-notebook|interactive)$/.test(notebookType);
  const atOnce = memory.get('servers').length > 0 || vscode.workspace.notebookDocuments.some(isNotebook);
  const atActivation = atOnce ? whenReady() : Promise.resolve();

  let told = JSON.stringify(servers.list());
  const onChange = (state: State): void => {
    if (state.clusters === null) {
      return;
    }
    const list = servers.list();
    if (list.length > 0) {
      void whenReady();
    }
    const text = JSON.stringify(list);
    if (text !== told) {
      told = text;
      memory.set('servers', [...list]);
      collections?.follow(list);
    }
  };

  return {
    api: {
      problem: () => problem,
      whenReady,
      atActivation,
      specsOf,
      onDidResolve: resolved.event,
    },
    disposables: [
      resolved,
      disposable(model.onChange(onChange)),
      vscode.workspace.onDidOpenNotebookDocument(notebook => {
        if (isNotebook(notebook)) {
          void whenReady();
        }
      }),
      disposable(() => {
        collections?.dispose();
        renting?.dispose();
      }),
    ],
  };
}
