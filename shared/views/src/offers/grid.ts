/**
 * The scrolled part of the offer table: which rows are drawn, where the active cell is, and what a click or key means.
 * The focus stays on the grid itself and the active cell is named by `aria-activedescendant`, so that neither recycled
 * rows nor new prices can lose it.
 */
import type { Offer } from '@hitch/contract';
import type { CellContext, OfferColumn } from './columns.ts';
import { setTip } from '../base/text.ts';
import { keyAction, type Place } from './grid-keys.ts';
import { cellId, Rows } from './rows.ts';
import { ScrollMap } from './scroll-map.ts';

export const ROW_HEIGHT_PX = 28;
const HEADER_HEIGHT_PX = 30;
/** Rows drawn beyond the view on each side, so that a fast wheel meets none that are empty. */
const BESIDE = 5;
/** Rows asked for beyond the view. */
const AHEAD = 40;
const ASK_EVERY_MS = 60;
const SETTLE_MS = 160;

export interface GridHost {
  readonly offerAt: (row: number) => Offer | null;
  readonly isSelected: (offerId: string) => boolean;
  readonly wanted: (first: number, end: number) => void;
  readonly toggle: (offer: Offer) => void;
  readonly rent: (offer: Offer) => void;
  /** All of an offer is to be seen. */
  readonly details: (byKey: boolean) => void;
  /** The active cell is in another row. */
  readonly moved: () => void;
  /** A header was chosen; columns are counted from the first with words. */
  readonly sortBy: (column: number) => void;
  readonly resized: (widthPx: number) => void;
}

export class OfferGrid {
  readonly #host: GridHost;
  readonly #scroller: HTMLElement;
  readonly #body: HTMLElement;
  readonly #rows: Rows;
  readonly #map = new ScrollMap(ROW_HEIGHT_PX);
  readonly #observer: ResizeObserver;
  readonly #end = new AbortController();
  #count = 0;
  /** As last observed: asking the page for it in the middle of a frame would have it laid out twice. */
  #viewportPx = 0;
  #columns: readonly OfferColumn[] = [];
  #context: CellContext | null = null;
  #active: Place = { row: 0, column: 1 };
  /** The offer the active cell belongs to: it is followed where new prices move it. */
  #activeId: string | null = null;
  #frame = 0;
  #asking: ReturnType<typeof setTimeout> | undefined;
  #settling: ReturnType<typeof setTimeout> | undefined;

  constructor(scroller: HTMLElement, body: HTMLElement, host: GridHost) {
    this.#scroller = scroller;
    this.#body = body;
    this.#host = host;
    this.#rows = new Rows(body);
    // The scroller outlives the grid where its table is moved on the page.
    const { signal } = this.#end;
    scroller.addEventListener('scroll', () => this.#scrolled(), { passive: true, signal });
    scroller.addEventListener('keydown', event => this.#key(event), { signal });
    scroller.addEventListener('click', event => this.#click(event), { signal });
    const details = (event: Event): void => {
      if (rowOf(event) >= 0 && cellOf(event)?.matches('.select, .rent') === false) {
        host.details(false);
      }
    };
    scroller.addEventListener('dblclick', details, { signal });
    scroller.addEventListener('pointerover', tip, { passive: true, signal });
    this.#observer = new ResizeObserver(() => {
      // Without a size it is hidden, behind a comparison or another tab.
      if (scroller.clientWidth > 0) {
        this.#viewportPx = Math.max(0, scroller.clientHeight - HEADER_HEIGHT_PX);
        host.resized(scroller.clientWidth);
        this.#layout();
      }
    });
    this.#observer.observe(scroller);
  }

  dispose(): void {
    this.#end.abort();
    this.#observer.disconnect();
    cancelAnimationFrame(this.#frame);
    clearTimeout(this.#asking);
    clearTimeout(this.#settling);
    this.#rows.forget();
  }

  /** Draws again with what there is now. */
  update(count: number, columns: readonly OfferColumn[], context: CellContext): void {
    if (context !== this.#context) {
      this.#rows.forget();
    }
    this.#count = count;
    this.#columns = columns;
    this.#context = context;
    this.#active = {
      row: Math.max(-1, Math.min(this.#active.row, count - 1)),
      column: Math.min(this.#active.column, columns.length + 1),
    };
    this.#layout();
  }

  /** Another question: its answer is read from the top. */
  toTop(): void {
    this.#activeId = null;
    this.#active = { row: 0, column: this.#active.column };
    this.#map.toTop();
    this.#scroller.scrollTop = 0;
  }

  get activeId(): string | null {
    return this.#activeId;
  }

  /** The offer the active cell belongs to stands elsewhere now. */
  follow(row: number): void {
    this.#active = { ...this.#active, row };
  }

  focus(): void {
    this.#scroller.focus();
  }

  #layout(): void {
    const before = this.#map.physical;
    this.#map.resize(this.#count, this.#viewportPx);
    const height = `${this.#map.height}px`;
    if (this.#body.style.height !== height) {
      this.#body.style.height = height;
    }
    if (Math.abs(before - this.#map.physical) >= 1) {
      this.#scroller.scrollTop = this.#map.physical;
    }
    this.#draw();
    this.#ask();
  }

  #draw(): void {
    const context = this.#context;
    if (context === null) {
      return;
    }
    const { row } = this.#active;
    this.#rows.show(this.#map.window(BESIDE), {
      columns: this.#columns,
      context,
      offerAt: this.#host.offerAt,
      placeOf: index => this.#map.placeOf(index),
      isSelected: this.#host.isSelected,
      active: this.#active,
    });
    const { first, end } = this.#map.window(BESIDE);
    if (row === -1) {
      this.#scroller.setAttribute('aria-activedescendant', `h-${this.#active.column}`);
    } else if (row >= first && row < end) {
      this.#scroller.setAttribute('aria-activedescendant', cellId(row, this.#active.column));
    } else {
      this.#scroller.removeAttribute('aria-activedescendant');
    }
    this.#scroller.querySelectorAll('.head .cell').forEach((cell, column) => {
      cell.classList.toggle('active', row === -1 && column === this.#active.column);
    });
  }

  #scrolled(): void {
    this.#map.scrolled(this.#scroller.scrollTop);
    if (this.#frame === 0) {
      this.#frame = requestAnimationFrame(() => {
        this.#frame = 0;
        this.#draw();
      });
    }
    this.#asking ??= setTimeout(() => this.#ask(), ASK_EVERY_MS);
    clearTimeout(this.#settling);
    this.#settling = setTimeout(() => {
      if (this.#map.settle()) {
        this.#scroller.scrollTop = this.#map.physical;
        this.#draw();
      }
    }, SETTLE_MS);
  }

  #ask(): void {
    clearTimeout(this.#asking);
    this.#asking = undefined;
    const { first, end } = this.#map.window(AHEAD);
    this.#host.wanted(first, end);
  }

  /** The offer of the active cell's row; null in the header, and while it is on its way. */
  get activeOffer(): Offer | null {
    return this.#active.row < 0 ? null : this.#host.offerAt(this.#active.row);
  }

  #moveTo(to: Place): void {
    const isOther = to.row !== this.#active.row;
    this.#active = to;
    this.#activeId = this.#host.offerAt(to.row)?.id ?? null;
    if (to.row >= 0 && this.#map.reveal(to.row)) {
      this.#scroller.scrollTop = this.#map.physical;
      this.#ask();
    }
    this.#draw();
    this.#showColumn(to.column);
    if (isOther) {
      this.#host.moved();
    }
  }

  /** Where more columns were chosen than fit, the table scrolls sideways; the first and the last stay in view. */
  #showColumn(column: number): void {
    const scroller = this.#scroller;
    if (scroller.scrollWidth <= scroller.clientWidth || column === this.#columns.length + 1) {
      return;
    }
    const cells = scroller.querySelectorAll<HTMLElement>('.head .cell');
    const [cell, first, last] = [cells[column], cells[1], cells[cells.length - 1]];
    if (cell === undefined || column <= 1) {
      scroller.scrollLeft = 0;
      return;
    }
    const before = cell.offsetLeft - (first?.offsetWidth ?? 0);
    const after = cell.offsetLeft + cell.offsetWidth + (last?.offsetWidth ?? 0) - scroller.clientWidth;
    scroller.scrollLeft = Math.min(Math.max(scroller.scrollLeft, after), before);
  }

  #key(event: KeyboardEvent): void {
    const size = { rows: this.#count, columns: this.#columns.length + 2, pageRows: this.#map.pageRows };
    const action = keyAction(event, this.#active, size);
    if (action === null) {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    const offer = this.#host.offerAt(action.to.row);
    switch (action.kind) {
      case 'move':
        this.#moveTo(action.to);
        return;
      case 'sort':
        this.#host.sortBy(action.to.column - 1);
        return;
      case 'rent':
        // A key that is held down must not answer the dialog that this opens.
        if (offer !== null && !event.repeat) {
          this.#host.rent(offer);
        }
        return;
      case 'select':
      case 'selectAndMove':
        this.#moveTo(action.to);
        if (offer !== null) {
          this.#host.toggle(offer);
        }
        return;
      case 'details':
        this.#host.details(true);
    }
  }

  #click(event: MouseEvent): void {
    const { target } = event;
    const cell = cellOf(event);
    const row = rowOf(event);
    if (cell === null || row < -1) {
      return;
    }
    const column = Number(cell.getAttribute('aria-colindex')) - 1;
    if (row === -1) {
      this.#host.sortBy(column - 1);
      return;
    }
    this.#moveTo({ row, column });
    const offer = this.#host.offerAt(row);
    if (offer !== null && column === 0) {
      this.#host.toggle(offer);
    } else if (offer !== null && target instanceof Element && target.closest('.rent-face') !== null) {
      this.#host.rent(offer);
    }
  }
}

const cellOf = ({ target }: Event): Element | null =>
  target instanceof Element ? target.closest('.cell') : null;

/** −1: the header; less: none. */
const rowOf = (event: Event): number =>
  Number(cellOf(event)?.parentElement?.getAttribute('aria-rowindex') ?? 0) - 2;

/** A cell's tip is written when a pointer comes: what most cells never show would be written with each row. */
function tip({ target }: Event): void {
  const cell = target instanceof Element ? target.closest<HTMLElement>('.body .cell') : null;
  if (cell !== null) {
    setTip(cell, cell.getAttribute('aria-label') ?? cell.textContent);
  }
}
