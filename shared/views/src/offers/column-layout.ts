/** Which columns of the offer table are shown, how wide, and which of them go first when there is no room. */
import type { OfferColumn } from './column.ts';
import { OFFER_COLUMNS } from './columns.ts';

/** Beside the columns: the box that chooses for comparison, and *Rent…*. */
export const SELECT_WIDTH_PX = 34;
export const RENT_WIDTH_PX = 78;

/** What a person wants to see, by the columns' ids; null: as many as there is room for. */
export type ColumnChoice = readonly string[] | null;

/** Those that no choice takes away. */
export const isAlwaysShown = ({ priority }: OfferColumn): boolean => priority === 0;

/**
 * The columns that fit into `widthPx`, in their order; those of priority 0 always stay. The first that does not fit ends
 * it: a narrow column of little importance never takes the room of one that matters more.
 */
export function visibleColumns(
  widthPx: number,
  columns: readonly OfferColumn[] = OFFER_COLUMNS,
): readonly OfferColumn[] {
  let left = widthPx - SELECT_WIDTH_PX - RENT_WIDTH_PX;
  const kept = new Set<OfferColumn>();
  for (const column of columns.toSorted((a, b) => a.priority - b.priority)) {
    left -= column.widthPx;
    if (left < 0 && !isAlwaysShown(column)) {
      break;
    }
    kept.add(column);
  }
  return columns.filter(column => kept.has(column));
}

/** What is shown: the chosen ones, whether or not they fit, or those that do. */
export const shownColumns = (choice: ColumnChoice, widthPx: number): readonly OfferColumn[] =>
  choice === null
    ? visibleColumns(widthPx)
    : OFFER_COLUMNS.filter(column => isAlwaysShown(column) || choice.includes(column.id));

/**
 * For `grid-template-columns`: whole pixels, which cost a browser less in every row than shares do. Columns that grow
 * take four times as much of the room that is left as the others.
 */
export function columnTracks(columns: readonly OfferColumn[], widthPx: number): string {
  const spare = widthPx - fullWidth(columns);
  const shares = columns.map(column =>
    spare < 0 ? column.widthPx - (column.leastPx ?? column.widthPx) : column.widthPx * (column.grows ? 4 : 1),
  );
  const all = Math.max(
    1,
    shares.reduce((sum, share) => sum + share, 0),
  );
  const widths = columns.map((column, index) =>
    Math.floor(
      Math.max(column.leastPx ?? column.widthPx, column.widthPx + (spare * (shares[index] ?? 0)) / all),
    ),
  );
  return [SELECT_WIDTH_PX, ...widths, RENT_WIDTH_PX].map(width => `${width}px`).join(' ');
}

const widthOf = (columns: readonly OfferColumn[], one: (column: OfferColumn) => number): number =>
  columns.reduce((sum, column) => sum + one(column), SELECT_WIDTH_PX + RENT_WIDTH_PX);

/** The width under which words are cut off. */
export const fullWidth = (columns: readonly OfferColumn[]): number =>
  widthOf(columns, ({ widthPx }) => widthPx);

/** The width under which the table scrolls sideways. */
export const leastWidth = (columns: readonly OfferColumn[]): number =>
  widthOf(columns, ({ widthPx, leastPx }) => leastPx ?? widthPx);

/**
 * Gives the grid its columns' widths. Columns that a person chose keep theirs, and the grid scrolls sideways where they do
 * not fit; the few that always stay shrink before it does.
 */
export function layColumns(
  grid: HTMLElement,
  {
    columns,
    chosen,
    widthPx,
  }: {
    readonly columns: readonly OfferColumn[];
    readonly chosen: boolean;
    readonly widthPx: number;
  },
): void {
  const leastPx = chosen ? fullWidth(columns) : leastWidth(columns);
  grid.style.setProperty('--tracks', columnTracks(columns, chosen ? Math.max(widthPx, leastPx) : widthPx));
  grid.style.setProperty('--least', `${leastPx}px`);
  grid.classList.toggle('tight', !chosen && widthPx < fullWidth(columns));
  grid.classList.toggle('sideways', widthPx < leastPx);
}

export const sameColumns = (some: readonly OfferColumn[], others: readonly OfferColumn[]): boolean =>
  some.length === others.length && some.every((column, at) => column === others[at]);
