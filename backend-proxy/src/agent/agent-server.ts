/** Everything that the agent's one socket answers: files, Jupyter, Ray, terminals, and questions about the node. */
import { realpathSync } from 'node:fs';
import type { Server } from 'node:http';
import { transferRoute } from '@hitch/transfer';
import type { Agent } from './agent.ts';
import { apiRoute } from './api.ts';
import type { WorkFolder } from './files/confine.ts';
import { rawFilesRoute } from './files/raw-files.ts';
import type { AgentFolders } from './folders.ts';
import { bearerCheck } from './http/auth.ts';
import { createAgentServer, type Route } from './http/server.ts';
import { logBytesRoute } from './jobs/log-bytes.ts';
import { noNotebook, type Notebook } from './notebook.ts';
import { portUpgrade } from './ports/stream.ts';
import { rayRoute, rayUpgrade } from './ray/route.ts';

export interface AgentServerOptions {
  readonly token: string;
  readonly folders: AgentFolders;
  readonly work: WorkFolder;
  readonly notebook: Notebook | null;
  /** Answers with bytes of files, counted while they go: they keep the node busy. */
  readonly transfers: Transfers;
}

/** How many files are sent or fetched at this moment. */
export class Transfers {
  #count = 0;

  get count(): number {
    return this.#count;
  }

  counted(...routes: readonly Route[]): Route {
    return async (url, request, response) => {
      this.#count += 1;
      try {
        for (const route of routes) {
          if (await route(url, request, response)) {
            return true;
          }
        }
        return false;
      } finally {
        this.#count -= 1;
      }
    };
  }
}

export function agentServer(
  agent: Agent,
  { token, folders, work, notebook, transfers }: AgentServerOptions,
): Server {
  return createAgentServer({
    checkBearer: bearerCheck(token),
    isLetIn: (url, headers) => agent.ssh.tickets.letsIn(url, headers),
    log: agent.log,
    explain: error => agent.room.explain(error),
    routes: [
      transfers.counted(rawFilesRoute(work, agent.uploads), transferRoute(realpathSync(folders.work))),
      async (url, request, response) => {
        if (notebook === null && url.pathname.startsWith('/jupyter/')) {
          throw noNotebook();
        }
        return (await notebook?.route(url, request, response)) ?? false;
      },
      rayRoute(agent.ray),
      logBytesRoute(agent.jobs),
      apiRoute(agent),
    ],
    upgrades: [
      async (url, request, socket, head) => (await notebook?.upgrade(url, request, socket, head)) ?? false,
      rayUpgrade(agent.ray),
      agent.ssh.upgrade,
      portUpgrade(agent.ports),
    ],
  });
}
