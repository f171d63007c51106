/** Tables that fit: whole columns give way before text is cut. */
import { shownLine } from '@hitch/contract';
import type { Io } from './io.ts';

export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => string;
  readonly align?: 'left' | 'right';
  /** 1 stays longest; columns with the highest number go first where the width is short. */
  readonly priority: number;
}

const GAP = '  ';

export const visibleWidth = (text: string): number => Array.from(text).length;

/** Cuts to `width` columns with an ellipsis. */
export function fit(text: string, width: number): string {
  if (visibleWidth(text) <= width) {
    return text;
  }
  const plain = Array.from(text);
  return width <= 1 ? plain.slice(0, width).join('') : `${plain.slice(0, width - 1).join('')}…`;
}

function pad(text: string, width: number, align: 'left' | 'right'): string {
  const missing = ' '.repeat(Math.max(0, width - visibleWidth(text)));
  return align === 'right' ? missing + text : text + missing;
}

interface Sized<Row> {
  readonly column: Column<Row>;
  readonly cells: readonly string[];
  readonly width: number;
}

const totalWidth = (columns: readonly { readonly width: number }[]): number =>
  columns.reduce((sum, { width }) => sum + width, GAP.length * Math.max(0, columns.length - 1));

/** Leaves out the least important columns until the rest fits; one column always stays. */
function chosen<Row>(columns: readonly Sized<Row>[], width: number | null): readonly Sized<Row>[] {
  let kept = columns;
  while (width !== null && kept.length > 1 && totalWidth(kept) > width) {
    const least = Math.max(...kept.map(({ column }) => column.priority));
    const last = kept.findLastIndex(({ column }) => column.priority === least);
    kept = kept.filter((_, index) => index !== last);
  }
  return kept;
}

/** The table's lines, the header first; no line is wider than `width`, and none ends in spaces. */
export function tableLines<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  width: number | null,
): string[] {
  const sized = columns.map(column => {
    const cells = rows.map(row => shownLine(column.cell(row)));
    return { column, cells, width: Math.max(...[column.title, ...cells].map(visibleWidth)) };
  });
  const kept = chosen(sized, width);
  const lineOf = (texts: readonly string[]): string => {
    const line = kept
      .map(({ column, width: columnWidth }, index) =>
        pad(texts[index] ?? '', columnWidth, column.align ?? 'left'),
      )
      .join(GAP)
      .trimEnd();
    return width === null ? line : fit(line, width);
  };
  return [
    lineOf(kept.map(({ column }) => column.title)),
    ...rows.map((_, row) => lineOf(kept.map(({ cells }) => cells[row] ?? ''))),
  ];
}

/** The whole table on standard output, as wide as that is, or as it needs (null). */
export function writeTable<Row>(
  io: Io,
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  width: number | null = io.width,
): void {
  const [header = '', ...lines] = tableLines(rows, columns, width);
  io.line(io.style('bold', header));
  lines.forEach(line => io.line(line));
}
