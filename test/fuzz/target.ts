/** The daemon that is fuzzed: a real process in a home of its own, with a practice market, and a cluster with a kernel. */
import { existsSync, mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Cluster } from '@hitch/contract';
import { DaemonHome } from '../support/daemon-home.ts';
import { NotebookPage, startKernel } from '../support/notebook-page.ts';
import { until } from '../support/waiting.ts';
import type { Names } from './case.ts';

/** What the daemon may hold in memory, throughout. */
export const MOST_MEMORY_MB = 200;
const ERROR_LEVEL = 50;
const UNKNOWN_CLUSTER = 'clu_01ARZ3NDEKTSV4RRFFQ69G5FAV';
const PRACTICE = { filter: { practice: 'only' } } as const;

export class Target {
  readonly #home: DaemonHome;
  readonly #withKernel: boolean;
  #cluster: Cluster | null = null;
  #names: Names | null = null;
  #bought = 0;

  /** @param withKernel whether nodes can run here; else every cluster is an unknown one. */
  constructor(withKernel: boolean) {
    this.#home = new DaemonHome({ HITCH_SANDBOX_RUNTIME: 'null', HITCH_SANDBOX_STOCK: '50' });
    this.#withKernel = withKernel;
  }

  get names(): Names {
    if (this.#names === null) {
      throw new Error('the daemon was not started');
    }
    return this.#names;
  }

  async start(): Promise<void> {
    const home = this.#home;
    // Files of the person who runs this are none of the run's business.
    const person = join(home.make().root, 'person');
    mkdirSync(person, { recursive: true });
    await home.start({ HOME: person });
    await until('there are offers', async () => (await home.api.offers.query(PRACTICE)).total > 100);
    if (this.#withKernel && this.#cluster === null) {
      const { id } = await home.rent({ filter: { providers: ['local'] } }, 'fuzz');
      this.#cluster = await home.untilKernel(id);
    }
    const cluster = this.#cluster;
    const kernel = cluster === null ? 'none' : await startKernel(home, await home.untilKernel(cluster.id));
    const quote = await home.quote(PRACTICE);
    const { baseUrl, token } = home.place();
    this.#names = {
      token,
      port: new URL(baseUrl).port,
      cluster: cluster?.id ?? UNKNOWN_CLUSTER,
      other: UNKNOWN_CLUSTER,
      kernel,
      quote: quote.id,
    };
    this.#bought = (await home.api.clusters.list()).length;
  }

  /** What is wrong with the process itself; null: it is well. */
  trouble(): string | null {
    const memory = this.memoryMb();
    if (memory === null) {
      return `The daemon ended: ${this.#home.said.slice(-2_000)}`;
    }
    return memory > MOST_MEMORY_MB
      ? `The daemon held ${memory.toString()} MB in memory, of ${MOST_MEMORY_MB.toString()} MB.`
      : null;
  }

  /** The most that the process has held so far, in MB; null once it is gone. */
  memoryMb(): number | null {
    try {
      const status = readFileSync(`/proc/${this.#home.pid.toString()}/status`, 'utf8');
      const kib = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
      return kib === undefined ? null : Math.round(Number(kib) / 1024);
    } catch {
      return null;
    }
  }

  /** What stands in the daemon's log as an error. */
  logged(): readonly string[] {
    const { logs } = this.#home.home;
    const files = existsSync(logs) ? readdirSync(logs).filter(name => name.startsWith('daemon.log')) : [];
    return files
      .flatMap(name => readFileSync(join(logs, name), 'utf8').split('\n'))
      .filter(line => Number(/"level":(\d+)/.exec(line)?.[1] ?? 0) >= ERROR_LEVEL);
  }

  /** What is wrong once it is over: nothing was bought, lists answer, and a cell runs. */
  async afterwards(): Promise<string | null> {
    const home = this.#home;
    const clusters = await home.api.clusters.list();
    if (clusters.length !== this.#bought) {
      return `Nonsense bought: ${clusters.map(({ name }) => name).join(', ')}.`;
    }
    if (this.#cluster === null) {
      return null;
    }
    const cluster = await home.untilKernel(this.#cluster.id);
    const page = await NotebookPage.open(home, cluster, await startKernel(home, cluster));
    try {
      const answer = await page.result('print(6 * 7)');
      return answer.includes('42') ? null : `An honest cell answered ${answer}.`;
    } finally {
      page.leave();
    }
  }

  /** Ends this process and begins again in the same home. */
  async restart(): Promise<void> {
    await this.#home.kill();
    await this.start();
  }

  async dispose(): Promise<void> {
    await this.#home.dispose();
  }
}
