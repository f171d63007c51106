/** What the benchmark does inside the page: the table's first paint and its frames, each beside the same thing bare. */
import { defaultFilter } from '../../src/offers/filter-chips.ts';
import { OFFER_COLUMNS } from '../../src/offers/columns.ts';
import { asWritten } from '../../src/base/translate.ts';
import { testOffers, testProviders } from './offers.ts';

const frame = () => new Promise<number>(resolve => requestAnimationFrame(resolve));

/** Fills the daemon's stand-in, so that only the table is measured and not the filtering of arrays. */
export function prepare(count: number): void {
  const { views } = window;
  views.offers = testOffers(count);
  views.page(query());
}

const query = () => ({
  filter: defaultFilter(testProviders),
  sort: { key: 'pricePerHour' as const, descending: false },
  offset: 0,
  limit: 100,
});

/** From the element's creation until the frame after its first offers stand. */
export async function firstPaint(): Promise<number> {
  const started = performance.now();
  const table = window.views.tableOf();
  while (table.shadowRoot?.querySelector('.row:not([hidden]):not(.loading)') === null) {
    await frame();
  }
  await frame();
  return performance.now() - started;
}

/** The same words in a plain table with as many rows as fit, from an answer that is already there. */
export async function barePaint(): Promise<number> {
  const started = performance.now();
  const context = { t: asWritten, titleOf: (id: string) => id };
  const table = document.createElement('table');
  for (const offer of window.views.page(query()).offers.slice(0, 30)) {
    const row = table.insertRow();
    for (const column of OFFER_COLUMNS) {
      row.insertCell().textContent = column.text(offer, context);
    }
  }
  window.views.show(table);
  await frame();
  await frame();
  return performance.now() - started;
}

/**
 * What each frame costs the page's thread while `scroller` moves: steady as by a wheel, with a far jump now and then.
 * A message that is sent at a frame's beginning arrives once its script, style, layout and paint are done; the time
 * between frames would be the screen's rhythm and other programs' work.
 */
async function frames(scroller: Element, count: number): Promise<number[]> {
  const { port1, port2 } = new MessageChannel();
  const far = scroller.scrollHeight / 7;
  const times: number[] = [];
  for (let step = 0; step < count; step++) {
    const cost = await new Promise<number>(resolve => {
      requestAnimationFrame(() => {
        const started = performance.now();
        port1.onmessage = () => {
          resolve(performance.now() - started);
        };
        port2.postMessage(null);
        scroller.scrollTop += step % 60 === 59 ? far : 120;
      });
    });
    times.push(cost);
  }
  port1.close();
  return times;
}

export async function tableFrames(count: number): Promise<number[]> {
  window.views.page({ ...query(), filter: {} });
  const table = window.views.tableOf();
  table.filter = {};
  while (table.shadowRoot?.querySelector('.row:not([hidden]):not(.loading)') === null) {
    await frame();
  }
  const scroller = table.shadowRoot?.querySelector('.scroller');
  if (scroller === null || scroller === undefined) {
    throw new Error('the table has no rows to scroll');
  }
  return frames(scroller, count);
}

export async function bareFrames(count: number): Promise<number[]> {
  const scroller = document.createElement('div');
  const content = document.createElement('div');
  scroller.style.cssText = 'height: 600px; overflow: auto';
  content.style.height = '2800000px';
  scroller.append(content);
  window.views.show(scroller);
  await frame();
  return frames(scroller, count);
}
