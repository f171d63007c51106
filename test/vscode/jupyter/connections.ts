/**
 * The way to a server, and the kernels on it. Sources: `JupyterConnection.createConnectionInfo` and `getJupyterServerUri`
 * (src/kernels/jupyter/connection/jupyterConnection.ts), `createJupyterConnectionInfo`, `computeServerId` and
 * `generateIdFromRemoteProvider` (src/kernels/jupyter/jupyterUtils.ts), `getKernelId` (src/kernels/helpers.ts),
 * `RemoteKernelFinder.listKernelsFromConnection` (src/kernels/jupyter/finder/remoteKernelFinder.ts).
 */
import { createHash } from 'node:crypto';
import type { JupyterServer } from '@vscode/jupyter-extension';
import * as vscode from 'vscode';
import * as z from 'zod';
import type { ConnectionInformation } from '../../../extension/src/vscode/jupyter-api.ts';
import { counts, find, type Handle, misuse, never, provided } from './registry.ts';

/** `startUsingRemoteKernelSpec` or `connectToLiveRemoteKernel` (src/kernels/types.ts). */
export interface Connection {
  readonly kind: 'spec' | 'live';
  /** Of the controller as well (`ControllerRegistration.getControllerId`). */
  readonly id: string;
  readonly handle: Handle;
  readonly label: string;
  readonly language: string;
  readonly specName: string;
}

/** `getJupyterServerUri`: what is not in the list is asked for only where the list is empty. */
async function serverOf(handle: Handle): Promise<JupyterServer> {
  const collection = find(handle.extensionId, handle.id);
  if (collection === undefined) {
    throw new Error(`no collection of ${handle.extensionId}:${handle.id}`);
  }
  const servers = await provided(collection);
  const listed = servers.find(({ id }) => id === handle.handle);
  const resolve = async (server: JupyterServer): Promise<JupyterServer | undefined> => {
    counts.resolved += 1;
    return (await collection.serverProvider.resolveJupyterServer(server, never)) ?? undefined;
  };
  const server =
    listed ??
    (servers.length === 0
      ? await resolve({ id: handle.handle, label: '' }).catch(() => undefined)
      : undefined);
  const resolved =
    server === undefined || server.connectionInformation !== undefined ? server : await resolve(server);
  if (server === undefined || resolved?.connectionInformation === undefined) {
    throw new Error(`Unable to get resolved server information for ${Object.values(handle).join(':')}`);
  }
  return { ...server, connectionInformation: resolved.connectionInformation };
}

/** The real one takes its own `fetch` and `WebSocket` where there are none, and then sends no bearer of the newest daemon. */
export async function connectionTo(handle: Handle): Promise<ConnectionInformation> {
  const info = (await serverOf(handle)).connectionInformation;
  return info !== undefined && 'fetch' in info && 'WebSocket' in info
    ? (info as ConnectionInformation)
    : misuse(`${handle.handle} came without its overrides`);
}

const specsSchema = z.object({
  kernelspecs: z.record(
    z.string(),
    z.object({
      name: z.string(),
      spec: z.object({ argv: z.array(z.string()), display_name: z.string(), language: z.string() }),
    }),
  ),
});
const kernelSchema = z.object({ id: z.string(), name: z.string() });
const sessionsSchema = z.array(z.object({ path: z.string(), kernel: kernelSchema }));

/** Sessions first, then what can be started, as the real list has them. */
export async function listKernels(handle: Handle): Promise<Connection[]> {
  const info = await connectionTo(handle);
  const read = async (path: string): Promise<unknown> => {
    const answer = await info.fetch(`${info.baseUrl.toString(true)}api/${path}`);
    if (!answer.ok) {
      throw new Error(`api/${path} was refused: HTTP ${answer.status.toString()}`);
    }
    return answer.json();
  };
  const [, specs, sessions] = await Promise.all([
    read('kernels'),
    read('kernelspecs').then(answer => specsSchema.parse(answer)),
    read('sessions').then(answer => sessionsSchema.parse(answer)),
  ]);
  const known = Object.values(specs.kernelspecs);
  const serverId = computeServerId(handle);
  return [
    ...sessions.map(({ path, kernel }): Connection => {
      const spec = known.find(({ name }) => name === kernel.name)?.spec;
      const label = `${spec?.display_name ?? kernel.name} (${path})`;
      const language = spec?.language ?? '';
      return { kind: 'live', id: kernel.id, handle, label, language, specName: kernel.name };
    }),
    ...known.map(({ name, spec }): Connection => {
      const id = `${serverId}${kernelId(name, spec.argv, spec.language)}`;
      return { kind: 'spec', id, handle, label: spec.display_name, language: spec.language, specName: name };
    }),
  ];
}

export function computeServerId({ extensionId, id, handle }: Handle): string {
  const uri = `https://remote/?id=${id}&uriHandle=${encodeURI(handle)}&extensionId=${encodeURI(extensionId)}`;
  return createHash('sha256').update(uri).digest('hex');
}

/** `getKernelId` for a kernel of a server: neither an id of its own nor an interpreter, on Linux and macOS. */
function kernelId(name: string, argv: readonly string[], language: string): string {
  const path = (program: string): string => vscode.Uri.file(program).fsPath;
  const normalized = (program: string): string =>
    path(program).endsWith('/bin/python') && path(program).split('/').length > 4
      ? path(program).replace('/bin/python', '/python')
      : path(program);
  const words =
    language.toLowerCase() === 'python'
      ? argv.slice(1).filter(word => !['-f', '{connection_file}'].includes(word))
      : argv;
  return `..${name}.${normalized(argv[0] ?? '')}.${normalized('')}.${words.join('#').toLowerCase()}`;
}
