/** Stand-ins for what is heavy on a far machine: its programs, and the agents that they are asked to start. */
import { appendFileSync, chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { type Timer, repeat, systemClock } from '@hitch/platform/src/clock.ts';
import * as z from 'zod';
import { FarTools } from '../support/far-tools.ts';
import { type HonestRoute, honestRoutes } from '../support/liar/liars.ts';

const LOOK_EVERY_MS = 100;
/** As often as an agent says its status when nothing changes. */
const STATUS_EVERY_MS = 10_000;
/** Says which agent is wanted, and is it as far as the loop around it can see. */
const NODE = `#!/bin/sh
case $1 in
  --version) echo v24.1.0 ;;
  -p) echo true ;;
  *) for last; do :; done; echo "$last" >>"\${0%/*}/../wanted"; exec sleep 1000000 ;;
esac
`;
const configSchema = z.object({ listen: z.string(), nodeId: z.string(), ref: z.string() });

export interface StandIns {
  readonly tools: FarTools;
  end(): Promise<void>;
}

/** Node, uv and Python that answer at once, in `folder`/bin, and one server at the sockets of all agents that are started by them. */
export function standIns(folder: string): StandIns {
  const tools = new FarTools(folder);
  writeFileSync(join(tools.path, 'node'), NODE, { mode: 0o755 });
  const wanted = join(folder, 'wanted');
  appendFileSync(wanted, '');
  chmodSync(wanted, 0o666);
  const agents = new StandInAgents(wanted);
  return { tools, end: () => agents.end() };
}

/** One server at the sockets of all agents that were started. */
class StandInAgents {
  readonly #servers: Server[] = [];
  readonly #streams = new Set<ServerResponse>();
  readonly #look: Timer;
  readonly #wanted: string;
  readonly #routes = honestRoutes();
  #seen = 0;

  constructor(wanted: string) {
    this.#wanted = wanted;
    this.#look = repeat(systemClock, LOOK_EVERY_MS, () => {
      this.#listenWhereWanted();
      return Promise.resolve();
    });
  }

  async end(): Promise<void> {
    this.#look.cancel();
    this.#streams.forEach(stream => stream.destroy());
    await Promise.all(
      this.#servers.map(server => {
        server.closeAllConnections();
        return new Promise(resolve => server.close(resolve));
      }),
    );
  }

  #listenWhereWanted(): void {
    const lines = readFileSync(this.#wanted, 'utf8').trimEnd().split('\n').filter(Boolean);
    for (const config of lines.slice(this.#seen)) {
      const { listen, nodeId, ref } = configSchema.parse(JSON.parse(readFileSync(config, 'utf8')));
      const said = (honest: unknown): string =>
        JSON.stringify(honest).replaceAll('$nodeId', nodeId).replaceAll('$ref', ref);
      const server = createServer((request, response) => {
        const path = (request.url ?? '').split('?')[0] ?? '';
        const route = this.#routes.find(each => each.method === request.method && fits(each, path));
        request.resume();
        if (route?.isStream === true) {
          this.#stream(said(route.honest), response);
        } else {
          response.writeHead(200, { 'content-type': 'application/json' });
          response.end(route === undefined ? '[]' : said(route.honest));
        }
      });
      // Its user comes by sshd, not by this process.
      server.listen({ path: listen, writableAll: true, readableAll: true });
      this.#servers.push(server);
    }
    this.#seen = lines.length;
  }

  #stream(said: string, response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const say = (): void => void response.write(`event: message\ndata: ${said}\n\n`);
    say();
    const again = repeat(systemClock, STATUS_EVERY_MS, () => {
      say();
      return Promise.resolve();
    });
    this.#streams.add(response);
    response.once('close', () => {
      again.cancel();
      this.#streams.delete(response);
    });
  }
}

const fits = ({ path }: HonestRoute, asked: string): boolean =>
  new RegExp(`^${path.replace(/\{[^}]+\}/g, '[^/]+')}$`).test(asked);
