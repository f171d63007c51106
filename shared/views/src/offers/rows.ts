/**
 * The rows in the view, recycled: a row that leaves at one end comes back at the other with another offer's words.
 * Built by hand, because a template per row costs more than the frame has.
 */
import type { Offer } from '@hitch/contract';
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
}

interface Row {
  readonly element: HTMLElement;
  readonly cells: readonly Cell[];
  row: number;
  place: number;
  offer: Offer | null;
  state: string;
}

/** The id of a cell, which the grid names as the active one. Column 0 is the box. */
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
      element.hidden = false;
      element.setAttribute('aria-rowindex', (row + 2).toString());
      slot.cells.forEach((cell, column) => (cell.element.id = cellId(row, column)));
    }
    if (slot.place !== place) {
      slot.place = place;
      element.style.transform = `translateY(${place}px)`;
    }
    const offer = look.offerAt(row);
    if (slot.offer !== offer) {
      slot.offer = offer;
      write(slot, offer, look);
    }
    const selected = offer !== null && look.isSelected(offer.id);
    const active = look.active?.row === row ? look.active.column : -1;
    const state = `${String(selected)} ${active}`;
    if (slot.state !== state) {
      slot.state = state;
      element.setAttribute('aria-selected', String(selected));
      element.classList.toggle('active', active >= 0);
      slot.cells.forEach((cell, column) => cell.element.classList.toggle('active', column === active));
    }
  }
}

function hide(slot: Row): void {
  if (slot.row !== -1) {
    slot.row = -1;
    slot.element.hidden = true;
    for (const cell of slot.cells) {
      cell.element.removeAttribute('id');
    }
  }
}

function makeRow(columns: readonly OfferColumn[]): Row {
  const element = document.createElement('div');
  element.className = 'row';
  element.setAttribute('role', 'row');
  element.hidden = true;
  const box = makeCell('select', 1);
  const boxSign = document.createElement('span');
  boxSign.className = 'box';
  box.element.append(boxSign);
  const cells = [
    box,
    ...columns.map((column, index) => makeCell(column.numeric ? 'numeric' : 'word', index + 2)),
    makeCell('rent', columns.length + 2),
  ];
  element.append(...cells.map(cell => cell.element));
  return { element, cells, row: -1, place: Number.NaN, offer: null, state: '' };
}

function makeCell(kind: string, columnIndex: number): Cell {
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
  return { element, text, words: '', spoken: '', look: element.className };
}

function write(slot: Row, offer: Offer | null, { columns, context }: RowLook): void {
  const { t } = context;
  slot.element.classList.toggle('loading', offer === null);
  slot.cells.forEach((cell, index) => {
    const column = columns[index - 1];
    if (offer === null) {
      setWords(cell, '', '');
      return;
    }
    if (column === undefined) {
      const title = columns[0]?.text(offer, context) ?? '';
      const words = index === 0 ? '' : t('Rent…');
      setWords(cell, words, index === 0 ? t('Compare %1', title) : t('Rent %1', title));
      return;
    }
    const words = column.text(offer, context);
    setWords(cell, words, column.spoken?.(offer, context) ?? words);
    const look = `cell ${column.numeric ? 'numeric' : 'word'} ${column.tone?.(offer) ?? 'plain'}`;
    if (cell.look !== look) {
      cell.look = look;
      cell.element.className = look;
    }
  });
  // The class names were set anew.
  slot.state = '';
}

function setWords(cell: Cell, words: string, spoken: string): void {
  if (cell.words !== words) {
    cell.words = words;
    cell.text.data = words;
  }
  if (cell.spoken !== spoken) {
    cell.spoken = spoken;
    if (spoken === words) {
      cell.element.removeAttribute('aria-label');
    } else {
      cell.element.setAttribute('aria-label', spoken);
    }
    cell.element.title = spoken;
  }
}
