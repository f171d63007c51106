/** What a key does in the grid: moves the active cell, or acts on its row. */

export interface Place {
  /** −1: the header. */
  readonly row: number;
  readonly column: number;
}

export interface GridSize {
  readonly rows: number;
  readonly columns: number;
  readonly pageRows: number;
}

export type KeyAction =
  | { readonly kind: 'move'; readonly to: Place }
  | { readonly kind: 'rent' | 'select' | 'sort' | 'selectAndMove' | 'details'; readonly to: Place };

interface Key {
  readonly key: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly shiftKey: boolean;
  readonly altKey: boolean;
}

/**
 * Home and End go to the first and last row, as in the editors' own lists; with Ctrl they go to the row's ends.
 * Null: the key is not the grid's.
 */
export function keyAction(event: Key, at: Place, size: GridSize): KeyAction | null {
  if (event.altKey) {
    return null;
  }
  const along = event.ctrlKey || event.metaKey;
  const move = (row: number, column: number): KeyAction => ({
    kind: 'move',
    to: {
      row: Math.max(-1, Math.min(row, size.rows - 1)),
      column: Math.max(0, Math.min(column, size.columns - 1)),
    },
  });
  const { row, column } = at;
  switch (event.key) {
    case 'ArrowDown':
      return event.shiftKey && row >= 0
        ? { kind: 'selectAndMove', to: { row: Math.min(row + 1, size.rows - 1), column } }
        : move(row + 1, column);
    case 'ArrowUp':
      return event.shiftKey && row > 0
        ? { kind: 'selectAndMove', to: { row: row - 1, column } }
        : move(row - 1, column);
    case 'ArrowLeft':
      return along ? move(row, 0) : move(row, column - 1);
    case 'ArrowRight':
      return along ? move(row, size.columns - 1) : move(row, column + 1);
    case 'PageDown':
      return move(Math.max(row, 0) + size.pageRows, column);
    case 'PageUp':
      return move(row < 0 ? row : Math.max(0, row - size.pageRows), column);
    case 'Home':
      return along ? move(row, 0) : move(0, column);
    case 'End':
      return along ? move(row, size.columns - 1) : move(size.rows - 1, column);
    case 'Enter':
      if (along) {
        return row < 0 ? null : { kind: 'details', to: at };
      }
      return { kind: row < 0 ? 'sort' : column === 0 ? 'select' : 'rent', to: at };
    case ' ':
      return { kind: row < 0 ? 'sort' : 'select', to: at };
    default:
      return null;
  }
}
