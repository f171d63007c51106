/** `hitch offers`: what can be rented now. */
import {
  cutText,
  format,
  HitchError,
  type Offer,
  type OfferPage,
  offerSortKeySchema,
  RANKED_MS,
  whyWords,
} from '@hitch/contract';
import * as z from 'zod';
import { defineCommand } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import {
  COLUMN_NAMES,
  columnsNamed,
  offerColumns,
  offerFooter,
  practiceBanner,
} from '../screen/offer-table.ts';
import { writeTable } from '../screen/table.ts';
import { duration, oneOf, wholeNumber } from '../values.ts';
import { addFilterOptions, filterFrom, filterOptionsShape } from './filter-options.ts';

/** Names with commas between them, each of a column. */
const columnList = z.string().transform((text, context): readonly string[] => {
  const names = text
    .split(',')
    .map(name => name.trim().toLowerCase())
    .filter(name => name !== '');
  const wrong = names.find(name => !COLUMN_NAMES.includes(name));
  if (names.length === 0 || wrong !== undefined) {
    const what = wrong === undefined ? 'No column is named' : `"${cutText(wrong, 40)}" is no column`;
    context.addIssue({ code: 'custom', message: `${what}: choose among ${COLUMN_NAMES.join(', ')}.` });
    return z.NEVER;
  }
  return [...new Set(names)];
});

export const addOffers = defineCommand({
  usage: 'offers [words...]',
  summary: 'list what can be rented now, the best first',
  examples: [
    ['hitch offers', 'the best offers: the least for each GPU-hour of use, everything included'],
    ['hitch offers --gpu "RTX 4090" --for 8h --why 1', 'why the first one is the best for 8 hours'],
    ['hitch offers --gpu "RTX 4090" --country DE SE', 'one GPU model in two countries'],
    ['hitch offers h100 --sort vram --descending', 'words search all columns'],
    ['hitch offers --columns gpu,price,terms,host', 'just these columns'],
    ['hitch offers --practice --multi-node --json', 'the practice market, for a script'],
  ],
  options: command =>
    addFilterOptions(command)
      .option('--sort <column>', `${offerSortKeySchema.options.join(', ')} (default: best)`)
      .option('--for <duration>', 'how long it is wanted, for the order best (default: 4h)')
      .option('--why <row>', 'why the offer in that row, counted from 1, stands where it does')
      .option('--descending', 'largest first')
      .option('--limit <count>', 'rows to show, at most 1000')
      .option('--offset <count>', 'rows to skip')
      .option(
        '--wide',
        'all columns, however wide: host, your history there, driver, NVLink, disk and traffic price, terms, way in',
      )
      .option('--columns <names>', 'just these columns, with commas between them')
      .option('--refresh', 'get fresh prices from the networks first'),
  schema: z.object({
    ...filterOptionsShape,
    words: z.array(z.string()).default([]),
    sort: oneOf(offerSortKeySchema.options).default('best'),
    for: duration.optional(),
    why: wholeNumber(1, 1000).optional(),
    descending: z.boolean().default(false),
    limit: wholeNumber(1, 1000).default(30),
    offset: wholeNumber(0, 1_000_000).default(0),
    refresh: z.boolean().default(false),
    wide: z.boolean().default(false),
    columns: columnList.optional(),
    json: z.boolean().default(false),
  }),
  run: async ({ io, clock, session }, options) => {
    const { api } = await session();
    if (options.refresh) {
      await api.offers.refresh({});
    }
    const text = options.words.join(' ');
    const page = await api.offers.query({
      filter: { ...filterFrom(options), ...(text === '' ? {} : { text }) },
      sort: { key: options.sort, descending: options.descending },
      ...(options.for === undefined ? {} : { forMs: options.for }),
      offset: options.offset,
      limit: options.limit,
      explain: true,
    });
    if (options.why !== undefined) {
      const { offer, why } = whyOf(page, options.why, options.for ?? RANKED_MS);
      if (options.json) {
        io.json({ offer, why });
      } else {
        io.line(io.style('bold', `${format.machineTitle(offer)} (${offer.id})`));
        why.forEach(line => io.line(line));
      }
      return EXIT.ok;
    }
    if (options.json) {
      io.json(page);
      return page.hint === null ? EXIT.ok : EXIT.usage;
    }
    if (page.hint !== null) {
      throw new HitchError('BAD_INPUT', page.hint, { next: 'hitch offers shows all that can be rented.' });
    }
    const providers = await api.providers.list();
    const banner = practiceBanner(page.offers);
    if (banner !== null) {
      io.line(io.style('yellow', banner));
    }
    if (page.offers.length > 0) {
      const columns =
        options.columns === undefined
          ? offerColumns(providers, options.wide)
          : columnsNamed(options.columns, providers);
      const isWhole = options.wide || options.columns !== undefined;
      writeTable(io, page.offers, columns, isWhole ? null : io.width);
    }
    offerFooter(page, providers, clock.now()).forEach(line => io.line(io.style('dim', line)));
    if (page.offers.length === 0) {
      io.line(
        page.matched === 0
          ? 'No offer matches these filters. Leave one out, or see all with hitch offers.'
          : `There is no row after --offset ${options.offset.toString()}: the list ends before it.`,
      );
    }
    return EXIT.ok;
  },
});

/** @throws HitchError BAD_INPUT where the list has no such row. */
function whyOf(
  { offers, hint }: OfferPage,
  row: number,
  ms: number,
): { offer: Offer; why: readonly string[] } {
  const offer = offers[row - 1];
  if (offer === undefined) {
    const count =
      offers.length === 0 ? 'no row' : offers.length === 1 ? '1 row' : `${offers.length.toString()} rows`;
    throw new HitchError('BAD_INPUT', hint ?? `--why ${row.toString()}: the list has ${count} here.`, {
      field: '--why',
      next: 'Choose a row of the list, counted from 1; --limit and --offset show others.',
    });
  }
  return { offer, why: whyWords(offer, ms) };
}
