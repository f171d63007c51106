/** A row of a tree before any editor has seen it, so that what is shown is computed and tested without one. */
import type { CommandId } from '../declared/commands.ts';

export interface RowIcon {
  /** A codicon. */
  readonly name: string;
  /** A theme colour. */
  readonly color?: string;
}

export interface Row {
  /** Never reused for anything else; an editor keeps selection and expansion by it. */
  readonly id: string;
  readonly label: string;
  readonly description: string;
  readonly icon: RowIcon | null;
  /** `kind;word;word…`: what menus ask for. */
  readonly contextValue: string;
  readonly collapsible: 'none' | 'collapsed' | 'expanded';
  /** What a screen reader says. */
  readonly spoken: string;
  /** Lines of plain text; asked for only when somebody points at the row. */
  readonly tooltip: () => readonly string[];
  readonly command?: { readonly id: CommandId; readonly argument: string };
}

/** Whether two states of one row look the same. */
export function looksSame(a: Row, b: Row): boolean {
  return (
    a.label === b.label &&
    a.description === b.description &&
    a.contextValue === b.contextValue &&
    a.collapsible === b.collapsible &&
    a.icon?.name === b.icon?.name &&
    a.icon?.color === b.icon?.color &&
    a.spoken === b.spoken
  );
}

export interface Difference {
  /** Rows were added, removed or moved. */
  readonly structure: boolean;
  /** Ids of rows that look different. */
  readonly changed: readonly string[];
}

export function difference(before: readonly Row[], after: readonly Row[]): Difference {
  const structure =
    before.length !== after.length || after.some((row, index) => row.id !== before[index]?.id);
  if (structure) {
    return { structure, changed: [] };
  }
  const changed = after.flatMap((row, index) => {
    const old = before[index];
    return old !== undefined && looksSame(old, row) ? [] : [row.id];
  });
  return { structure, changed };
}
