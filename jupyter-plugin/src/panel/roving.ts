/** Keys in a tree of rows: where the focus goes, and what opens. Pure, so that it is tested without a page. */
export type TreeMove =
  | { readonly kind: 'focus'; readonly id: string }
  | { readonly kind: 'expand' | 'collapse' | 'toggle'; readonly id: string }
  | null;

export interface TreeRow {
  readonly id: string;
  readonly name: string;
  readonly expanded: boolean;
}

/** @param current the row with the focus. */
export function treeMove(rows: readonly TreeRow[], current: string, key: string): TreeMove {
  const at = rows.findIndex(({ id }) => id === current);
  const row = rows[at];
  if (row === undefined) {
    return null;
  }
  const focus = (to: TreeRow | undefined): TreeMove =>
    to === undefined || to === row ? null : { kind: 'focus', id: to.id };
  switch (key) {
    case 'ArrowDown':
      return focus(rows[at + 1]);
    case 'ArrowUp':
      return focus(rows[at - 1]);
    case 'Home':
      return focus(rows[0]);
    case 'End':
      return focus(rows.at(-1));
    case 'ArrowRight':
      return row.expanded ? null : { kind: 'expand', id: row.id };
    case 'ArrowLeft':
      return row.expanded ? { kind: 'collapse', id: row.id } : null;
    case 'Enter':
    case ' ':
      return { kind: 'toggle', id: row.id };
    default:
      return /^\S$/u.test(key) ? focus(nextNamed(rows, at, key)) : null;
  }
}

function nextNamed(rows: readonly TreeRow[], at: number, letter: string): TreeRow | undefined {
  const inOrder = [...rows.slice(at + 1), ...rows.slice(0, at)];
  return inOrder.find(({ name }) => name.toLowerCase().startsWith(letter.toLowerCase()));
}
