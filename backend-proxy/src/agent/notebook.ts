/** The notebook side of a head: Jupyter Server, its kernels' hub and list, its terminals, and their routes. */
import { format, HitchError, type AgentConfig } from '@hitch/contract';
import { type Clock, within } from '@hitch/platform/src/clock.ts';
import type { Log } from '@hitch/platform/src/log.ts';
import type { Ids } from '@hitch/platform/src/random.ts';
import type { AgentFolders } from './folders.ts';
import type { DiskRoom } from './disk-room.ts';
import type { NodeEnvironment } from './environment/environment.ts';
import { passRequest } from './http/pass.ts';
import type { Route, UpgradeRoute } from './http/server.ts';
import { takeNotStarted, writeKernelEnvironment } from './jupyter/files.ts';
import { createJupyter, type Jupyter } from './jupyter/jupyter.ts';
import { KernelList } from './jupyter/kernel-list.ts';
import { checkIsJson, jupyterPath } from './jupyter/rest.ts';
import { TerminalSockets } from './jupyter/terminals.ts';
import { KernelHub } from './kernels/hub.ts';
import { hubExtension } from './kernels/python-files.ts';

export interface NotebookOptions {
  readonly config: AgentConfig;
  readonly folders: AgentFolders;
  readonly clock: Clock;
  readonly log: Log;
  readonly ids: Ids;
  readonly room: DiskRoom;
  readonly environment: NodeEnvironment;
  readonly changed: () => void;
  /** Jupyter Server came up or went down. */
  readonly turned: () => void;
  /** A person did something: typed in a terminal, started a kernel. */
  readonly touched: () => void;
}

export interface Notebook {
  readonly jupyter: Jupyter;
  readonly hub: KernelHub;
  readonly list: KernelList;
  readonly route: Route;
  readonly upgrade: UpgradeRoute;
  /** Added to what kernels get when they start. */
  setKernelEnvironment(environment: Readonly<Record<string, string>>): void;
  /** Kernels that start from now on find another Python. */
  environmentChanged(): void;
  close(): Promise<void>;
}

/** How long a request to make a kernel waits for a server that is still starting. */
const WAIT_FOR_SERVER_MS = 60_000;
const RESTART = /^\/api\/kernels\/([^/?]+)\/restart$/;
const CHANNELS = /^\/kernels\/([^/]+)\/channels$/;
const TERMINAL = /^\/terminals\/([^/]+)\/socket$/;

export async function createNotebook(options: NotebookOptions): Promise<Notebook> {
  const { config, folders, clock, log, ids, room, changed, turned, touched } = options;
  const jupyter = await createJupyter({
    config,
    folders,
    environment: options.environment,
    clock,
    log,
    makeToken: () => ids.secret(),
    changed: turned,
    extension: hubExtension,
  });
  const hub = new KernelHub({
    folder: folders.journal,
    upstream: jupyter.upstream,
    limits: config.journal,
    clock,
    log,
    newId: () => ids.secret(16),
    changed,
  });
  const isServing = (): boolean => jupyter.supervisor.state.state === 'running';
  const list = new KernelList({ client: jupyter.client, hub, clock, log, isServing, changed });
  const sockets = new TerminalSockets({ upstream: jupyter.upstream, clock, typed: touched });

  const route: Route = async (url, request, response) => {
    if (!url.pathname.startsWith('/jupyter/')) {
      return false;
    }
    const path = jupyterPath(url);
    const changes = request.method !== 'GET' && request.method !== 'HEAD';
    if (changes) {
      touched();
      await untilServing(jupyter, isServing, clock);
    }
    const restarted = request.method === 'POST' ? RESTART.exec(path)?.[1] : undefined;
    if (restarted !== undefined) {
      hub.restarting(restarted);
    }
    try {
      await passRequest(jupyter.upstream, path, request, response, {
        check: answer => {
          checkIsJson(answer);
          if (restarted !== undefined && answer.statusCode === 200) {
            options.environment.restarted(restarted);
            hub.restarted(restarted);
          }
        },
        explainFailure: body => {
          const what = failureOf(request.method, path);
          const full = room.explainAnswer(what, body);
          const reason =
            restarted === undefined ? lastWords(body) : takeNotStarted(folders.jupyter, restarted);
          return full ?? (reason === null ? null : notStarted(what, reason, config.clusterName));
        },
      });
    } finally {
      if (restarted !== undefined) {
        hub.restartOver(restarted);
      }
    }
    if (changes && !path.startsWith('/api/contents')) {
      await list.look();
    }
    return true;
  };

  const upgrade: UpgradeRoute = async (url, request, socket, head) => {
    const kernelId = CHANNELS.exec(url.pathname)?.[1];
    if (kernelId !== undefined) {
      await hub.handleUpgrade(request, socket, head, kernelId);
      return true;
    }
    const terminal = TERMINAL.exec(url.pathname)?.[1];
    if (terminal !== undefined) {
      sockets.handleUpgrade(request, socket, head, terminal);
      return true;
    }
    return false;
  };

  let ofEngine: Readonly<Record<string, string>> = {};
  const writeEnvironment = (): void =>
    writeKernelEnvironment(folders.jupyter, {
      ...config.secrets,
      ...options.environment.changedVariables,
      ...ofEngine,
    });
  writeEnvironment();
  return {
    jupyter,
    hub,
    list,
    route,
    upgrade,
    setKernelEnvironment: environment => {
      ofEngine = environment;
      writeEnvironment();
    },
    environmentChanged: writeEnvironment,
    close: async () => {
      list.stop();
      sockets.close();
      await hub.close();
    },
  };
}

const ENDED = /hitch-kernel-ended ([0-9a-f]+)/;

/** What the kernel said last, where its process ended before it answered; its manager puts that into the answer. */
function lastWords(body: string): string | null {
  const digits = ENDED.exec(body)?.[1];
  return digits === undefined ? null : Buffer.from(digits, 'hex').toString('utf8');
}

function notStarted(what: string, reason: string, clusterName: string): HitchError {
  return new HitchError('CONFLICT', `${format.clause(what)}: ${format.clause(reason)}.`, {
    next: `Its whole log: hitch logs ${clusterName} --name jupyter`,
  });
}

/** What could not be done, for people. */
function failureOf(method: string | undefined, path: string): string {
  if (path.startsWith('/api/contents')) {
    return method === 'GET' ? 'The files could not be read.' : 'The file could not be written.';
  }
  return RESTART.test(path) ? 'The kernel could not be started again.' : 'The kernel could not be started.';
}

/** The first cell is asked for while the server still starts: waiting here is shorter than a refusal and a retry. */
async function untilServing(jupyter: Jupyter, isServing: () => boolean, clock: Clock): Promise<void> {
  const { state } = jupyter.supervisor.state;
  if (isServing() || state === 'off' || state === 'failed') {
    return;
  }
  try {
    await within(clock, WAIT_FOR_SERVER_MS, signal => jupyter.untilReady(signal));
  } catch (cause) {
    throw new HitchError('UNREACHABLE', 'Jupyter Server on this node does not answer.', { cause });
  }
}

export function noNotebook(): HitchError {
  return new HitchError(
    'NOT_FOUND',
    'This node has no Jupyter Server; kernels and terminals are on the head.',
  );
}
