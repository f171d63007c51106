/** How soon the offer table shows 100,000 offers in Chromium, and how long its frames take while it is scrolled. */
import { chromiumPath, openBrowser } from '../../../shared/views/test/support/browser.ts';
import type {} from '../../../shared/views/test/support/page.ts';
import { figure, median, percentile, type Benchmark } from '../figure.ts';

const OFFERS = 100_000;
const PAINTS = 7;
const FRAMES = 600;

export const offerTable: Benchmark = {
  names: ['offer_table_first_paint_ms', 'offer_table_frame_p95_ms'],
  async run(report) {
    const executable = chromiumPath();
    if (executable === null) {
      report('skipped: Chromium is not installed (apt-get install chromium)');
      return [];
    }
    const browser = await openBrowser(executable);
    try {
      const page = await browser.page('code-dark');
      report(`${OFFERS.toString()} offers, ${PAINTS.toString()} paints, ${FRAMES.toString()} frames`);
      await page.evaluate(count => {
        window.views.measure.prepare(count);
      }, OFFERS);
      const paints: number[] = [];
      const bare: number[] = [];
      for (let round = 0; round < PAINTS; round++) {
        paints.push(await page.evaluate(() => window.views.measure.firstPaint()));
        bare.push(await page.evaluate(() => window.views.measure.barePaint()));
      }
      const bareFrames = await page.evaluate(count => window.views.measure.bareFrames(count), FRAMES);
      const frames = await page.evaluate(count => window.views.measure.tableFrames(count), FRAMES);
      return [
        figure({
          name: 'offer_table_first_paint_ms',
          value: median(paints),
          unit: 'ms',
          baseline: median(bare),
          target: { atMost: 250 },
          note: `from creation to the frame with the first of ${OFFERS.toString()} offers; baseline: 30 plain table rows`,
        }),
        figure({
          name: 'offer_table_frame_p95_ms',
          value: percentile(frames, 95),
          unit: 'ms',
          baseline: percentile(bareFrames, 95),
          target: { atMost: 16 },
          note: 'script, style, layout and paint of a frame while scrolling, with far jumps; baseline: an empty element of the same height',
        }),
      ];
    } finally {
      await browser.close();
    }
  },
};
