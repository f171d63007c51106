/**
 * The rows in the view, recycled: a row that leaves at one end comes back at the other with another offer's words.
 * Built by hand, because a template per row costs more than the frame has.
 */
import type { Offer } from '@hitch/contract';
import { setData, setSpoken } from '../base/text.ts';
import type { CellContext, OfferColumn } from './columns.ts';
import type { RowWindow } from './scroll-map.ts';

export interface RowLook {
  readonly columns: readonly OfferColumn[];
  readonly context: CellContext;
  readonly offerAt: (row: number) => Offer | null;
  readonly placeOf: (row: number) => number;
  readonly isSelected: (offerId: string) => boolean;
  readonly active: { readonly row: number; readonly column: number } | null;
}

interface Cell {
  readonly element: HTMLElement;
  readonly text: Text;
  words: string;
  spoken: string;
  look: string;
  /** Room for words; null for what is no column. */
  readonly widthPx: number | null;
}

/** As in the style sheet. */
const PADDING_PX = 12;
/** A wide letter: words that may not fit are cut off, which costs time in every frame and is left out for the rest. */
const WIDEST_PX = 7.5;

interface Row {
  readonly element: HTMLElement;
  readonly cells: readonly Cell[];
  row: number;
  place: number;
  offer: Offer | null;
  selected: boolean;
  /** The column of its active cell; -1: none. */
  active: number;
}

/** The id of the active cell, which the grid names; no other has one. Column 0 is the box. */
export const cellId = (row: number, column: number): string => `c${row}-${column}`;

export class Rows {
  readonly #body: HTMLElement;
  #pool: Row[] = [];
  #columns: readonly OfferColumn[] = [];

  constructor(body: HTMLElement) {
    this.#body = body;
  }

  /** Everything is written again at the next `show`: other words or other columns. */
  forget(): void {
    for (const { element } of this.#pool) {
      element.remove();
    }
    this.#pool = [];
  }

  show(window: RowWindow, look: RowLook): void {
    if (look.columns !== this.#columns) {
      this.forget();
      this.#columns = look.columns;
    }
    this.#fit(window.end - window.first);
    const size = this.#pool.length;
    const shown = new Set<Row>();
    for (let row = window.first; row < window.end; row++) {
      const slot = this.#pool[row % size];
      if (slot !== undefined) {
        shown.add(slot);
        this.#fill(slot, row, look);
      }
    }
    for (const slot of this.#pool) {
      if (!shown.has(slot)) {
        hide(slot);
      }
    }
  }

  /** As many rows as the largest view needed; a few spare ones cost less than making them again. */
  #fit(count: number): void {
    if (this.#pool.length >= count) {
      return;
    }
    const made: Row[] = [];
    while (this.#pool.length + made.length < count) {
      made.push(makeRow(this.#columns));
    }
    this.#body.append(...made.map(({ element }) => element));
    // Places are counted modulo the pool's size, so with another size every row gets another offer.
    this.#pool = [...this.#pool, ...made];
    this.#pool.forEach(hide);
  }

  #fill(slot: Row, row: number, look: RowLook): void {
    const { element } = slot;
    const place = look.placeOf(row);
    if (slot.row !== row) {
      slot.row = row;
      setActive(slot, -1);
      element.hidden = false;
      element.setAttribute('aria-rowindex', (row + 2).toString());
    }
    if (slot.place !== place) {
      slot.place = place;
      element.style.top = `${place}px`;
    }
    const offer = look.offerAt(row);
    if (slot.offer !== offer) {
      slot.offer = offer;
      write(slot, offer, look);
    }
    const selected = offer !== null && look.isSelected(offer.id);
    if (slot.selected !== selected) {
      slot.selected = selected;
      element.setAttribute('aria-selected', String(selected));
    }
    setActive(slot, look.active?.row === row ? look.active.column : -1);
  }
}

/** Attributes cost more than words: only the cell that is active has an id and a class for it. */
function setActive(slot: Row, column: number): void {
  if (slot.active === column) {
    return;
  }
  const before = slot.cells[slot.active]?.element;
  before?.classList.remove('active');
  before?.removeAttribute('id');
  slot.active = column;
  slot.element.classList.toggle('active', column >= 0);
  const now = slot.cells[column]?.element;
  if (now !== undefined) {
    now.classList.add('active');
    now.id = cellId(slot.row, column);
  }
}

function hide(slot: Row): void {
  if (slot.row !== -1) {
    slot.row = -1;
    slot.element.hidden = true;
    setActive(slot, -1);
  }
}

function makeRow(columns: readonly OfferColumn[]): Row {
  const element = document.createElement('div');
  // Until it has an offer.
  element.className = 'row loading';
  element.setAttribute('role', 'row');
  element.hidden = true;
  element.setAttribute('aria-selected', 'false');
  const box = makeCell('select', 1, null);
  const boxSign = document.createElement('span');
  boxSign.className = 'box';
  box.element.append(boxSign);
  const cells = [
    box,
    ...columns.map((column, index) =>
      makeCell(column.numeric ? 'numeric' : 'word', index + 2, column.widthPx - PADDING_PX),
    ),
    makeCell('rent', columns.length + 2, null),
  ];
  element.append(...cells.map(cell => cell.element));
  return { element, cells, row: -1, place: Number.NaN, offer: null, selected: false, active: -1 };
}

function makeCell(kind: string, columnIndex: number, widthPx: number | null): Cell {
  const element = document.createElement('div');
  element.className = `cell ${kind}`;
  element.setAttribute('role', 'gridcell');
  element.setAttribute('aria-colindex', columnIndex.toString());
  const text = document.createTextNode('');
  if (kind === 'rent') {
    // Reached through its cell (Enter), so it is no stop of the Tab key and no second name for a screen reader.
    const face = document.createElement('span');
    face.className = 'rent-face';
    face.append(text);
    element.append(face);
  } else {
    element.append(text);
  }
  return { element, text, words: '', spoken: '', look: element.className, widthPx };
}

function write(slot: Row, offer: Offer | null, { columns, context }: RowLook): void {
  const { t } = context;
  slot.element.classList.toggle('loading', offer === null);
  slot.element.classList.toggle('only-shown', offer?.notRentable !== undefined);
  slot.cells.forEach((cell, index) => {
    const column = columns[index - 1];
    if (offer === null) {
      setWords(cell, '', '');
      return;
    }
    if (column === undefined) {
      const title = columns[0]?.text(offer, context) ?? '';
      const { notRentable } = offer;
      if (notRentable !== undefined) {
        setWords(cell, index === 0 ? '' : t('Why not?'), notRentable);
        return;
      }
      const words = index === 0 ? '' : t('Rent…');
      setWords(cell, words, index === 0 ? t('Compare %1', title) : t('Rent %1', title));
      return;
    }
    const words = column.text(offer, context);
    setWords(cell, words, column.spoken?.(offer, context) ?? words);
    const long = !column.numeric && words.length * WIDEST_PX > (cell.widthPx ?? 0) ? ' long' : '';
    const look = `cell ${column.numeric ? 'numeric' : 'word'} ${column.tone?.(offer) ?? 'plain'}${long}`;
    if (cell.look !== look) {
      cell.look = look;
      cell.element.className = look;
    }
  });
  // The class names were set anew.
  setActive(slot, -1);
}

function setWords(cell: Cell, words: string, spoken: string): void {
  if (cell.words !== words) {
    cell.words = words;
    setData(cell.text, words);
  }
  if (cell.spoken !== spoken) {
    cell.spoken = spoken;
    // The grid gives a cell its tip when a pointer comes.
    if (spoken === words) {
      cell.element.removeAttribute('aria-label');
    } else {
      setSpoken(cell.element, spoken);
    }
  }
}
