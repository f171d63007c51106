/**
 * A tree of {@link Row}s. Items are made once for each id and changed in place (VS Code keeps selection by identity);
 * VS Code is told of the rows that look different, and of the whole only when rows came, went or moved.
 */
import * as vscode from 'vscode';
import { shownRow, shownTooltip } from '../shown/items.ts';
import { difference, type Row } from '../tree/row.ts';

export interface RowSource {
  /** The rows at the top, from memory. */
  roots(): readonly Row[];
  /** The rows below one, from memory. Asked for only while it is open. */
  below(rowId: string): readonly Row[];
}

export class RowTree implements vscode.TreeDataProvider<string> {
  readonly #changed = new vscode.EventEmitter<string | string[] | undefined>();
  readonly onDidChangeTreeData = this.#changed.event;
  readonly #source: RowSource;
  readonly #rows = new Map<string, Row>();
  readonly #items = new Map<string, vscode.TreeItem>();
  readonly #parents = new Map<string, string>();
  /** What VS Code was given last: of the top (''), and of each open row. */
  readonly #given = new Map<string, readonly Row[]>();

  constructor(source: RowSource) {
    this.#source = source;
  }

  /** Looks again at everything that is shown. */
  refresh(): void {
    const changed: string[] = [];
    for (const [parent, before] of [...this.#given]) {
      if (parent !== '' && !this.#rows.has(parent)) {
        this.#given.delete(parent);
        continue;
      }
      const after = this.#rowsOf(parent);
      const { structure, changed: ids } = difference(before, after);
      if (structure && parent === '') {
        this.#changed.fire(undefined);
        return;
      }
      for (const row of after) {
        this.#rows.set(row.id, row);
      }
      this.#given.set(parent, after);
      changed.push(...(structure ? [parent] : ids));
    }
    if (changed.length > 0) {
      this.#changed.fire(changed);
    }
  }

  getChildren(parent?: string): string[] {
    const key = parent ?? '';
    const rows = this.#rowsOf(key);
    if (key === '') {
      this.#rows.clear();
    }
    this.#given.set(key, rows);
    for (const row of rows) {
      this.#rows.set(row.id, row);
      this.#parents.set(row.id, key);
    }
    return rows.map(({ id }) => id);
  }

  getParent(id: string): string | undefined {
    const parent = this.#parents.get(id);
    return parent === '' ? undefined : parent;
  }

  getTreeItem(id: string): vscode.TreeItem {
    const row = this.#rows.get(id);
    let item = this.#items.get(id);
    if (item === undefined) {
      item = new vscode.TreeItem('');
      item.id = id;
      this.#items.set(id, item);
    }
    if (row !== undefined) {
      paint(item, row);
    }
    return item;
  }

  resolveTreeItem(item: vscode.TreeItem, id: string): vscode.TreeItem {
    const row = this.#rows.get(id);
    item.tooltip = row === undefined ? undefined : shownTooltip(row);
    return item;
  }

  /** Forgets rows that are nowhere any more. */
  dispose(): void {
    this.#changed.dispose();
    this.#items.clear();
  }

  #rowsOf(parent: string): readonly Row[] {
    return parent === '' ? this.#source.roots() : this.#source.below(parent);
  }
}

const COLLAPSE = {
  none: vscode.TreeItemCollapsibleState.None,
  collapsed: vscode.TreeItemCollapsibleState.Collapsed,
  expanded: vscode.TreeItemCollapsibleState.Expanded,
} as const;

function paint(item: vscode.TreeItem, row: Row): void {
  const { label, description, spoken } = shownRow(row);
  item.label = label;
  item.description = description;
  item.contextValue = row.contextValue;
  item.collapsibleState = COLLAPSE[row.collapsible];
  item.accessibilityInformation = { label: spoken };
  if (row.icon !== null) {
    item.iconPath = new vscode.ThemeIcon(
      row.icon.name,
      row.icon.color === undefined ? undefined : new vscode.ThemeColor(row.icon.color),
    );
  }
  // Filled in when somebody points at it.
  delete item.tooltip;
  if (row.command !== undefined) {
    item.command = { command: row.command.id, title: label, arguments: [row.command.argument] };
  }
}
