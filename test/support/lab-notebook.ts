/** The notebook in front of a JupyterLab page, driven through the application and read back from its model. */
import type { FrameLocator } from 'playwright-core';
import type { LabPage } from './jupyterlab.ts';
import { until } from './waiting.ts';

const PANEL = 'window.jupyterapp.shell.currentWidget';

/** What a cell of the notebook in front shows in its frame. */
export const frameOf = ({ page }: LabPage, index: number): FrameLocator =>
  page
    .locator('.jp-NotebookPanel:not(.lm-mod-hidden) .jp-Notebook-cell')
    .nth(index)
    .frameLocator('.jp-hitch-Framed iframe')
    .frameLocator('iframe');

export interface CellSeen {
  /** What it shows as text, outputs one after the other. */
  readonly text: string;
  /** The MIME types of its rich outputs. */
  readonly types: readonly string[];
  /** Such as `*` or `3`, as a person sees it. */
  readonly prompt: string;
}

export class LabNotebook {
  readonly #lab: LabPage;

  constructor(lab: LabPage) {
    this.#lab = lab;
  }

  #ask<T>(expression: string): Promise<T> {
    return this.#lab.page.evaluate<T>(expression);
  }

  /** Makes a notebook of these cells with this kernel, opens it and waits for the kernel. */
  async make(path: string, kernelName: string, cells: readonly string[] = ['']): Promise<void> {
    const content = {
      nbformat: 4,
      nbformat_minor: 5,
      metadata: { kernelspec: { name: kernelName, display_name: kernelName, language: 'python' } },
      cells: cells.map((source, index) => ({
        cell_type: 'code',
        id: `cell-${index.toString()}`,
        source,
        metadata: {},
        outputs: [],
        execution_count: null,
      })),
    };
    await this.#ask(
      `window.jupyterapp.serviceManager.contents.save(${JSON.stringify(path)}, ${JSON.stringify({ type: 'notebook', format: 'json', content })}).then(() => null)`,
    );
    await this.open(path);
    await this.untilIdle(kernelName);
  }

  /** Brings it to the front, with its contents there. */
  async open(path: string): Promise<void> {
    await this.#ask(
      `(async () => {
        const panel = await window.jupyterapp.commands.execute('docmanager:open', { path: ${JSON.stringify(path)} });
        window.jupyterapp.shell.activateById(panel.id);
        await panel.context.ready;
      })()`,
    );
  }

  kernelName(): Promise<string> {
    return this.#ask(`${PANEL}?.sessionContext?.session?.kernel?.name ?? ''`);
  }

  kernelStatus(): Promise<string> {
    return this.#ask(`${PANEL}?.sessionContext?.session?.kernel?.status ?? ''`);
  }

  /** What is said of the kernel: of the session, and beside the notebook. */
  #kernelSaid(): Promise<string> {
    return this.#ask(
      `(() => {
        const panel = ${PANEL};
        const { sessionContext: context } = panel ?? {};
        return JSON.stringify({ runOn: panel?.node.querySelector('.jp-Hitch-runOn')?.textContent,
          waits: sessionStorage.getItem('hitch:attach-later'), shown: context?.kernelDisplayStatus, session: context?.session?.model,
          prefers: context?.kernelPreference, connection: context?.session?.kernel?.connectionStatus });
      })()`,
    );
  }

  async untilIdle(kernelName: string): Promise<void> {
    let said = '';
    await until(
      `${kernelName} is idle`,
      async () => {
        const isIdle = (await this.kernelName()) === kernelName && (await this.kernelStatus()) === 'idle';
        said = isIdle ? said : await this.#kernelSaid();
        return isIdle;
      },
      undefined,
      () => said,
    );
  }

  /** Begins to run a cell, with another source when one is given. */
  async begin(index: number, source?: string): Promise<void> {
    await this.#ask(
      `(() => {
        const { content } = ${PANEL};
        content.deselectAll();
        content.activeCellIndex = ${index.toString()};
        ${source === undefined ? '' : `content.activeCell.model.sharedModel.setSource(${JSON.stringify(source)});`}
        void window.jupyterapp.commands.execute('notebook:run-cell').catch(() => null);
      })()`,
    );
  }

  /** Runs a cell to its end and gives what it shows. */
  async run(index: number, source: string): Promise<CellSeen> {
    await this.begin(index, source);
    return this.untilOver(index);
  }

  cell(index: number): Promise<CellSeen> {
    return this.#ask(
      `(() => {
        const cell = ${PANEL}.content.widgets[${index.toString()}];
        const outputs = cell.model.outputs.toJSON();
        const flat = text => (Array.isArray(text) ? text.join('') : (text ?? ''));
        return {
          text: outputs.map(o => flat(o.text) || flat(o.data?.['text/plain']) || (o.ename ?? '')).join(''),
          types: outputs.flatMap(o => Object.keys(o.data ?? {})),
          prompt: cell.node.querySelector('.jp-InputPrompt')?.textContent?.replace(/[\\[\\]:\\s]/g, '') ?? '',
        };
      })()`,
    );
  }

  /** Until the cell shows this. In vain: with what it showed, and what was said of the kernel and where the notebook runs. */
  untilShows(index: number, what: RegExp, withinMs?: number): Promise<CellSeen> {
    let said = '';
    return until(
      `cell ${index.toString()} shows ${what.source}`,
      async () => {
        const seen = await this.cell(index);
        if (what.test(seen.text)) {
          return seen;
        }
        said = `${JSON.stringify(seen)} ${await this.#kernelSaid()}`;
        return null;
      },
      withinMs,
      () => said,
    );
  }

  /** Until the cell has a count. */
  untilOver(index: number, withinMs?: number): Promise<CellSeen> {
    return until(
      `cell ${index.toString()} is over`,
      async () => {
        const seen = await this.cell(index);
        return /^\d+$/.test(seen.prompt) ? seen : null;
      },
      withinMs,
    );
  }

  save(): Promise<void> {
    return this.#lab.command('docmanager:save');
  }
}
