/** Asks for a search to keep: words, memory and a highest price, each of which may be left out. */
import { randomUUID } from 'node:crypto';
import type { OfferFilter } from '@hitch/contract';
import { formatMicroUsd } from '@hitch/contract/src/money.ts';
import type { Search } from '../offers/searches.ts';
import { readDollars } from '../rent/read.ts';
import { askLine } from './screen.ts';

const optional = (check: (text: string) => string | undefined) => (text: string) =>
  text.trim() === '' ? undefined : check(text.trim());

/** Null when it was given up. */
export async function askForSearch(): Promise<Search | null> {
  const text = await askLine({
    title: 'Save a search (1/3)',
    prompt: 'Words to find in GPU, network, country or supplier (empty for any)',
    placeholder: 'RTX 4090',
  });
  if (text === undefined) {
    return null;
  }
  const memory = await askLine({
    title: 'Save a search (2/3)',
    prompt: 'Minimum memory of one GPU in GB (empty for any)',
    placeholder: '24',
    check: optional(value => (/^\d{1,4}$/.test(value) ? undefined : 'Enter whole gigabytes, such as 24.')),
  });
  if (memory === undefined) {
    return null;
  }
  const price = await askLine({
    title: 'Save a search (3/3)',
    prompt: 'Maximum price per hour in dollars (empty for any)',
    placeholder: '0.50',
    check: optional(value => {
      const read = readDollars(value);
      return 'problem' in read ? read.problem : undefined;
    }),
  });
  return price === undefined ? null : searchFrom(text.trim(), memory.trim(), price.trim());
}

function searchFrom(text: string, memory: string, price: string): Search {
  const cap = price === '' ? null : readDollars(price);
  const filter: OfferFilter = {
    ...(text === '' ? {} : { text }),
    ...(memory === '' ? {} : { minVramMiB: Number(memory) * 1000 }),
    ...(cap === null || 'problem' in cap ? {} : { maxPricePerHourMicroUsd: formatMicroUsd(cap.amount) }),
  };
  const words = [
    ...(text === '' ? [] : [text]),
    ...(memory === '' ? [] : [`${memory} GB or more`]),
    ...(price === '' ? [] : [`up to $${price.replace('$', '')}/h`]),
  ];
  return { id: randomUUID(), label: words.join(', ') || 'Everything', nodes: 1, filter };
}
