/** A kernel of a real Jupyter Server with a hub before it, for the length of a suite; and the cells that are run on it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type HubServer, startHub } from './hub-server.ts';
import { type JupyterServer, pythonOrSkip, startJupyter } from './jupyter-server.ts';

/** What {@link printing} prints. */
export const lines = (count: number): string =>
  Array.from({ length: count }, (_, n) => `line ${n.toString()}\n`).join('');

export const printing = (count: number, pauseS: number): string =>
  `import time\nfor n in range(${count.toString()}):\n    print("line", n, flush=True)\n    time.sleep(${pauseS.toString()})`;

/** Python that goes on once a file is there: a cell is under way for as long as a slow machine needs. */
export const waiting = (file: string): string =>
  `import os, time\nwhile not os.path.exists(${JSON.stringify(file)}): time.sleep(0.02)`;

export class OneKernel {
  readonly jupyter: JupyterServer;
  readonly server: HubServer;
  readonly kernelId: string;
  readonly #folder = mkdtempSync(join(tmpdir(), 'hitch-gates-'));
  #gates = 0;

  private constructor(jupyter: JupyterServer, server: HubServer, kernelId: string) {
    this.jupyter = jupyter;
    this.server = server;
    this.kernelId = kernelId;
  }

  /** Skips where there is no Python with Jupyter. */
  static async start(suite: Mocha.Context): Promise<OneKernel> {
    const jupyter = await startJupyter(pythonOrSkip(suite));
    try {
      const server = await startHub(jupyter.upstream);
      const kernelId = await jupyter.startKernel();
      await server.hub.sync(await jupyter.kernels());
      return new OneKernel(jupyter, server, kernelId);
    } catch (error) {
      await jupyter.stop();
      throw error;
    }
  }

  /** A file that is not there yet. */
  gate(): string {
    return join(this.#folder, (this.#gates++).toString());
  }

  async stop(): Promise<void> {
    await this.server.stop();
    await this.jupyter.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
