/** A real JupyterLab with one cluster behind it, rented on the practice market, and a notebook to drive there. */
import type { Context, Test } from 'mocha';
import type { Cluster, QuoteRequest } from '@hitch/contract';
import { chromiumOrSkip } from './chromium.ts';
import { DaemonHome } from './daemon-home.ts';
import { JupyterLab, type LabPage } from './jupyterlab.ts';
import { LabNotebook } from './lab-notebook.ts';
import { needsRealNodes } from './processes.ts';

const REQUEST: Partial<QuoteRequest> = { filter: { practice: 'only', maxGpuCount: 1 } };

/** Made where a suite is described, started in its `before`, and disposed of in its `after` whatever happened. */
export class LabCluster {
  readonly home: DaemonHome;
  readonly name: string;
  readonly #request: Partial<QuoteRequest>;
  #lab: JupyterLab | null = null;
  #page: LabPage | null = null;
  #book: LabNotebook | null = null;
  #cluster: Cluster | null = null;

  constructor(name = 'llm-dev', request: Partial<QuoteRequest> = REQUEST) {
    this.home = new DaemonHome({ HITCH_SANDBOX_SEED: '7' });
    this.name = name;
    this.#request = request;
  }

  /** The name of its Python kernel. */
  get kernel(): string {
    return `hitch-${this.name}--python3`;
  }

  get lab(): JupyterLab {
    return started(this.#lab);
  }

  get page(): LabPage {
    return started(this.#page);
  }

  get book(): LabNotebook {
    return started(this.#book);
  }

  /** As it was when its kernels could be used. */
  get cluster(): Cluster {
    return started(this.#cluster);
  }

  /** Until a page is open and cells could run; skips the suite where they cannot. */
  async start(context: Context): Promise<void> {
    needsRealNodes(context);
    const executable = chromiumOrSkip(context);
    await this.home.start();
    const rented = await this.home.rent(this.#request, this.name);
    this.#cluster = await this.home.untilKernel(rented.id);
    this.#lab = new JupyterLab({ home: this.home });
    await this.#lab.start();
    this.#page = await this.#lab.open(executable);
    this.#book = new LabNotebook(this.#page);
  }

  async keepFailure(suite: string, test: Test | undefined): Promise<void> {
    await this.#page?.keepFailure(suite, test);
  }

  async dispose(): Promise<void> {
    await this.#lab?.dispose();
    await this.home.dispose();
  }
}

function started<T>(part: T | null): T {
  if (part === null) {
    throw new Error('the suite has not started its JupyterLab');
  }
  return part;
}
