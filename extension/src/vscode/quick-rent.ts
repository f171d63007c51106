/** What is usually rented, a line each below *Run on…*: one question, and the notebook moves there by itself. */
import * as vscode from 'vscode';
import type { Cluster, Preset } from '@hitch/contract';
import { lastRented, lastRentedWords } from '@hitch/contract/src/preset-words.ts';
import { isOver } from '@hitch/contract/src/words.ts';
import { type Move, sortMoves } from '../kernel/moves.ts';
import { sentence } from '../sentence.ts';
import { fail } from './messages.ts';
import { disposable, type Host } from './module.ts';
import type { RentApi } from './rent-module.ts';
import { presetChoice, withPrices } from './rent-wizard.ts';
import type { Choice } from './wizard.ts';

/** Asks for the yes, rents and shows how it goes. @param ordered called once somebody has said yes and it is ordered. */
export type Take = (ordered: (cluster: Cluster) => void) => Promise<unknown>;

export interface QuickDeps {
  readonly host: Host;
  readonly rent: RentApi;
  /** Gives the notebook its kernel there; answers whether it has it. */
  readonly attach: (notebook: vscode.NotebookDocument, cluster: Cluster) => Promise<boolean>;
}

export class QuickRent {
  readonly #deps: QuickDeps;
  /** Of moves that are being made. */
  readonly #busy = new Set<string>();
  /** Ordered from this window, and in no list of it yet. */
  readonly #unlisted = new Set<string>();

  constructor(deps: QuickDeps) {
    this.#deps = deps;
  }

  /** Of one preset. */
  take(preset: Preset): Take {
    return ordered => this.#deps.rent.rentPreset(preset, ordered);
  }

  /** The lines, and the same with what each costs now. */
  async lines(): Promise<{
    readonly now: readonly Choice<Take>[];
    readonly later: Promise<readonly Choice<Take>[]>;
  }> {
    const { model } = this.#deps.host.connection;
    const { presets } = await model.listPresets();
    const last = lastRented(model.state.clusters ?? []);
    const again: readonly Choice<Take>[] =
      last === null
        ? []
        : [
            {
              icon: 'history',
              label: `Rent Again: ${last.name}`,
              description: lastRentedWords(last),
              value: ordered => this.#again(last, ordered),
            },
          ];
    const linesOf = (choices: readonly Choice<Preset>[]): readonly Choice<Take>[] => [
      ...again,
      ...choices.map(({ value, ...shown }) => ({
        ...shown,
        label: `Rent: ${shown.label}`,
        value: this.take(value),
      })),
    ];
    return {
      now: linesOf(presets.map(preset => presetChoice(preset, '…'))),
      later: withPrices(model, presets).then(linesOf),
    };
  }

  /** The daemon's own way to rent once more. It is ordered as soon as it is over no more. */
  async #again({ id }: Cluster, ordered: (cluster: Cluster) => void): Promise<void> {
    const { model } = this.#deps.host.connection;
    const look = (): void => {
      const cluster = model.state.clusters?.find(known => known.id === id);
      if (cluster !== undefined && !isOver(cluster)) {
        stop();
        ordered(cluster);
      }
    };
    const stop = model.onChange(look);
    try {
      await vscode.commands.executeCommand('hitch.cluster.startAgain', id);
    } finally {
      stop();
    }
  }

  /** The notebook moves there, now or later, and the cell that is selected now runs there. */
  begin(notebook: vscode.NotebookDocument, cluster: Cluster, cell: number | null): void {
    const { windowMemory } = this.#deps.host;
    const uri = notebook.uri.toString();
    const others = windowMemory.get('moves').filter(move => move.notebook !== uri);
    this.#unlisted.add(cluster.id);
    windowMemory.set('moves', [...others, { clusterId: cluster.id, notebook: uri, cell }]);
  }

  /** Moves whose clusters can run a notebook now. Their notebooks have to be open. */
  look(): void {
    const { windowMemory, connection } = this.#deps.host;
    const { clusters } = connection.model.state;
    const moves = windowMemory.get('moves');
    if (clusters === null || moves.length === 0) {
      return;
    }
    clusters.forEach(({ id }) => this.#unlisted.delete(id));
    const { due, waiting } = sortMoves(moves, clusters, this.#unlisted);
    if (due.length + waiting.length < moves.length) {
      windowMemory.set('moves', [...due, ...waiting]);
    }
    for (const move of due) {
      void this.#move(move, clusters).catch((error: unknown) => void fail(sentence(error)));
    }
  }

  async #move(move: Move, clusters: readonly Cluster[]): Promise<void> {
    const { host, attach } = this.#deps;
    const notebook = vscode.workspace.notebookDocuments.find(
      ({ uri, isClosed }) => uri.toString() === move.notebook && !isClosed,
    );
    const cluster = clusters.find(({ id }) => id === move.clusterId);
    if (notebook === undefined || cluster === undefined || this.#busy.has(move.notebook)) {
      return;
    }
    this.#busy.add(move.notebook);
    let isThere = false;
    try {
      isThere = await attach(notebook, cluster);
    } finally {
      this.#busy.delete(move.notebook);
      // Not before: the window may be loaded anew in the middle of it.
      host.windowMemory.set(
        'moves',
        host.windowMemory.get('moves').filter(({ notebook: uri }) => uri !== move.notebook),
      );
    }
    if (isThere && move.cell !== null && move.cell < notebook.cellCount) {
      await vscode.commands.executeCommand('notebook.cell.execute', {
        ranges: [{ start: move.cell, end: move.cell + 1 }],
        document: notebook.uri,
      });
    }
  }

  follow(): vscode.Disposable {
    const { model } = this.#deps.host.connection;
    const look = () => this.look();
    const listeners = [disposable(model.onChange(look)), vscode.workspace.onDidOpenNotebookDocument(look)];
    return vscode.Disposable.from(...listeners);
  }
}

/** The code cell that is selected in this notebook; null: none, or an empty one. */
export function selectedCell(notebook: vscode.NotebookDocument): number | null {
  const editor = vscode.window.visibleNotebookEditors.find(shown => shown.notebook === notebook);
  const index = editor?.selection.start;
  if (index === undefined || index >= notebook.cellCount) {
    return null;
  }
  const cell = notebook.cellAt(index);
  return cell.kind === vscode.NotebookCellKind.Code && cell.document.getText().trim() !== '' ? index : null;
}
