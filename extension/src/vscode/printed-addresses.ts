/**
 * Addresses of the machine itself in a cell's output, as `http://localhost:6006`: a button at the cell opens that port of the cluster.
 * The link in the output itself is the editor's, and leads to this computer.
 */
import * as vscode from 'vscode';
import { PRINTED_ADDRESS, type PrintedAddress, printedAddress } from '@hitch/contract/src/port-words.ts';
import { portRowId } from '../ports/rows.ts';

/** A server says where it is when it begins: further into a long output nobody looks. */
const LOOKED_AT_BYTES = 64 * 1024;
const MOST_BUTTONS = 3;

const TEXTS = new Set([
  'application/vnd.code.notebook.stdout',
  'application/vnd.code.notebook.stderr',
  'text/plain',
]);

export class PrintedAddresses implements vscode.NotebookCellStatusBarItemProvider {
  readonly #clusterOf: (notebook: vscode.NotebookDocument) => string | null;
  readonly #changed = new vscode.EventEmitter<void>();
  readonly onDidChangeCellStatusBarItems = this.#changed.event;
  readonly #watching: vscode.Disposable;
  /** What was found in each cell last, by its document. */
  readonly #shown = new WeakMap<vscode.NotebookCell, string>();

  /** @param clusterOf the cluster that runs a notebook; null: none */
  constructor(clusterOf: (notebook: vscode.NotebookDocument) => string | null) {
    this.#clusterOf = clusterOf;
    // The editor asks again when a cell has run, not while it prints.
    this.#watching = vscode.workspace.onDidChangeNotebookDocument(({ notebook, cellChanges }) => {
      const hasChanged = cellChanges.some(
        ({ cell, outputs }) => outputs !== undefined && foundIn(cell) !== (this.#shown.get(cell) ?? ''),
      );
      if (hasChanged && clusterOf(notebook) !== null) {
        this.#changed.fire();
      }
    });
  }

  provideCellStatusBarItems(cell: vscode.NotebookCell): vscode.NotebookCellStatusBarItem[] {
    const clusterId = this.#clusterOf(cell.notebook);
    const addresses = clusterId === null ? [] : addressesIn(cell);
    this.#shown.set(cell, addresses.map(textOf).join(' '));
    return addresses.map(({ port, path }) => {
      const item = new vscode.NotebookCellStatusBarItem(
        `$(open-preview) Open port ${port.toString()}`,
        vscode.NotebookCellStatusBarAlignment.Right,
      );
      item.tooltip = `Open port ${port.toString()} of the cluster, where this cell’s output says it is`;
      item.command = {
        command: 'hitch.ports.open',
        title: 'Open Port…',
        // A kernel runs on the head.
        arguments: [portRowId({ clusterId: clusterId ?? '', nodeIndex: 0, port }), path],
      };
      return item;
    });
  }

  dispose(): void {
    this.#watching.dispose();
    this.#changed.dispose();
  }
}

const textOf = ({ port, path }: PrintedAddress): string => `${port.toString()}${path}`;
const foundIn = (cell: vscode.NotebookCell): string => addressesIn(cell).map(textOf).join(' ');

function addressesIn(cell: vscode.NotebookCell): PrintedAddress[] {
  const texts = cell.outputs.flatMap(({ items }) =>
    items
      .filter(({ mime }) => TEXTS.has(mime))
      .map(({ data }) => new TextDecoder().decode(data.subarray(0, LOOKED_AT_BYTES))),
  );
  const found = texts
    .flatMap(text => text.match(PRINTED_ADDRESS) ?? [])
    .flatMap(text => printedAddress(text) ?? []);
  return [...new Map(found.map(address => [textOf(address), address])).values()].slice(0, MOST_BUTTONS);
}
