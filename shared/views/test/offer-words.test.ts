import assert from 'node:assert/strict';
import { offerFilterSchema, type OfferFilter } from '@hitch/contract';
import { asWritten as t } from '../src/base/translate.ts';
import { Chosen } from '../src/offers/chosen.ts';
import { columnTracks, leastWidth, shownColumns, visibleColumns } from '../src/offers/column-layout.ts';
import { OFFER_COLUMNS, pricePerGpu } from '../src/offers/columns.ts';
import { defaultFilter, filterChips, hiddenWords, leastMiB } from '../src/offers/filter-chips.ts';
import { choiceFields, TEXT_FIELDS } from '../src/offers/filter-fields.ts';
import { keyAction } from '../src/offers/grid-keys.ts';
import { offerFacts } from '../src/offers/facts.ts';
import { countWords, nodesProblem, sourceWords, unverifiedWords } from '../src/offers/words.ts';
import { MOMENT_MS, testOffer, testProviders } from './support/offers.ts';

const titleOf = (id: string) => testProviders.find(provider => provider.id === id)?.title ?? id;
const labels = (filter: OfferFilter) => filterChips(filter, t, titleOf).map(({ label }) => label);

describe('the column that says what happens without me', () => {
  it('warns of what bills on, and of what a reboot ends for good', () => {
    const column = OFFER_COLUMNS.find(({ id }) => id === 'laptop');
    const shown = (change: { endsBillingAlone: boolean; returnsAfterReboot?: boolean }) => {
      const offer = testOffer(0, change);
      return [column?.text(offer, { t, titleOf }), column?.tone?.(offer)];
    };
    assert.deepEqual(shown({ endsBillingAlone: true }), ['✓ stops', 'good']);
    assert.deepEqual(shown({ endsBillingAlone: true, returnsAfterReboot: false }), ['⚠ reboot', 'warning']);
    assert.deepEqual(shown({ endsBillingAlone: false, returnsAfterReboot: false }), ['⚠ bills', 'warning']);
  });
});

describe('the filter chips', () => {
  it('say the usual filters as people say them', () => {
    assert.deepEqual(labels(defaultFilter(testProviders)), [
      'real networks',
      'on-demand',
      'verified or data centre',
      'reliability ≥ 98 %',
      '1 GPU',
      '≥ 24 GB',
      '50 GB disk',
      '≥ 200 Mbps',
      'also where not stated',
    ]);
  });

  it('leave a valid filter without their own condition when they are removed', () => {
    const filter = defaultFilter(testProviders);
    for (const chip of filterChips(filter, t, titleOf)) {
      assert.doesNotThrow(() => offerFilterSchema.parse(chip.without));
      assert.ok(!labels(chip.without).includes(chip.label), `${chip.label} is gone`);
    }
    for (const practice of ['only', 'exclude'] as const) {
      const [chip] = filterChips({ practice, minGpuCount: 1 }, t, titleOf);
      assert.deepEqual(chip?.without, { minGpuCount: 1 }, 'the opposite condition is a condition too');
    }
  });

  it('take a 24 GB card whose driver reports a little less', () => {
    assert.ok(testOffer(1).vramMiB >= leastMiB(24) || testOffer(1).vramMiB < 20_000);
    assert.ok(24_564 >= leastMiB(24));
    assert.ok(20_470 < leastMiB(24));
  });

  it('begin with practice where nobody is logged in at a real network, alone where none is on', () => {
    const off = testProviders.map(provider => ({ ...provider, enabled: false }));
    assert.equal(defaultFilter(off).practice, 'only');
    assert.equal(defaultFilter(testProviders).practice, 'exclude');
    assert.equal(defaultFilter(null).practice, 'exclude');
    const browsed = testProviders.map(provider => ({ ...provider, credentials: 'absent' as const }));
    assert.equal('practice' in defaultFilter(browsed), false, 'beside the catalogues of real networks');
    const [some] = off;
    assert.ok(some !== undefined);
    const own = { ...some, id: 'ssh', kind: 'own' as const, enabled: true, offers: 2 };
    assert.equal(defaultFilter([...off, own]).practice, 'exclude', 'a machine of one’s own is no practice');
    assert.equal(defaultFilter([...off, { ...own, offers: 0 }]).practice, 'only', 'none was added');
    assert.equal(
      defaultFilter([...off, { ...own, id: 'local' }]).practice,
      'only',
      'this computer is always there',
    );
  });
});

describe('the filter form', () => {
  it('reads back what it wrote, and takes a condition away with an empty field', () => {
    const typed: Readonly<Record<string, string>> = {
      gpuModels: 'RTX 4090, H100 SXM',
      maxPricePerHourMicroUsd: '0.50',
      countries: 'DE, FR',
      minReliability: '99.5',
    };
    for (const field of TEXT_FIELDS) {
      const text = typed[field.id] ?? '24';
      const written = field.write({}, text, t);
      assert.ok('filter' in written, `${field.id} takes ${text}`);
      assert.doesNotThrow(() => offerFilterSchema.parse(written.filter));
      assert.equal(field.read(written.filter), text);
      assert.deepEqual(field.write(written.filter, ' ', t), { filter: {} });
    }
  });

  it('answers what it cannot take with a sentence', () => {
    for (const [id, text] of [
      ['minGpuCount', 'two'],
      ['minReliability', '101'],
      ['maxPricePerHourMicroUsd', '1e3'],
      ['countries', 'Germany'],
    ]) {
      const written = TEXT_FIELDS.find(field => field.id === id)?.write({}, text ?? '', t);
      assert.ok(written !== undefined && 'problem' in written && written.problem.endsWith('.'), id);
    }
  });

  it('reads all boxes of a question as no condition', () => {
    const markets = choiceFields(null).find(({ id }) => id === 'markets');
    assert.deepEqual(markets?.write({}, ['spot']), { markets: ['spot'] });
    assert.deepEqual(markets?.write({ markets: ['spot'] }, ['spot', 'on_demand']), {});
  });
});

describe('what filters hide', () => {
  it('is said by what each chip is called, the most first, and what is not stated', () => {
    const filter = defaultFilter(testProviders);
    const said = (hides: Parameters<typeof hiddenWords>[0]) => hiddenWords(hides, filter, t, titleOf);
    assert.equal(said([]), null);
    assert.equal(
      said([
        { field: 'trusts', count: 1320 },
        { field: 'maxGpuCount', count: 60 },
        { field: 'orNotStated', count: 57 },
        { field: 'minGpuCount', count: 20 },
        { field: 'markets', count: 4 },
      ]),
      'hidden by one filter alone: 1,320 by “verified or data centre”, 80 by “1 GPU”, 57 by what is not stated, 4 by others',
    );
    const searched = hiddenWords([{ field: 'text', count: 3 }], { ...filter, text: 'h100' }, t, titleOf);
    assert.equal(searched, 'hidden by one filter alone: 3 by “h100”');
    const aside = hiddenWords([{ field: 'practice', count: 402 }], {}, t, titleOf);
    assert.equal(aside, 'hidden by one filter alone: 402 by being for practice');
  });

  it('is not what a network does not state, until that chip is taken away', () => {
    const chip = filterChips(defaultFilter(testProviders), t, titleOf).find(({ id }) => id === 'orNotStated');
    assert.equal(chip?.label, 'also where not stated');
    assert.equal('orNotStated' in (chip?.without ?? {}), false);
    assert.ok(!labels({ orNotStated: true }).includes('also where not stated'), 'where nothing is compared');
    const trust = OFFER_COLUMNS.find(({ id }) => id === 'trust');
    const silent = testOffer(0, { trust: 'data_center', reliability: null });
    assert.equal(trust?.text(silent, { t, titleOf }), 'data centre, –');
    assert.equal(trust?.spoken?.(silent, { t, titleOf }), 'data centre, – (reliability not stated)');
  });
});

describe('the columns', () => {
  it('go by importance where there is no room, and the price and the GPU stay', () => {
    const ids = (width: number) => visibleColumns(width).map(({ id }) => id);
    assert.deepEqual(
      ids(3000),
      OFFER_COLUMNS.map(({ id }) => id),
    );
    assert.deepEqual(ids(200), ['gpu', 'price']);
    assert.deepEqual(ids(600), ['gpu', 'price', 'network', 'trust']);
    const byImportance = OFFER_COLUMNS.toSorted((one, other) => one.priority - other.priority);
    for (let width = 350; width < 1700; width += 25) {
      const shown = visibleColumns(width);
      const first = byImportance.slice(0, shown.length);
      assert.deepEqual(
        new Set(shown),
        new Set(first),
        `at ${width} px none stands in the place of one that matters more`,
      );
    }
    for (let width = 350; width < 1700; width += 25) {
      assert.ok(leastWidth(visibleColumns(width)) <= width, `at ${width} px`);
    }
    assert.equal(columnTracks(visibleColumns(200), 200).split(' ').length, 4);
    for (const width of [290, 1100, 1280, 2560]) {
      const tracks = columnTracks(visibleColumns(width), width).split(' ').map(Number.parseFloat);
      const sum = tracks.reduce((all, track) => all + track, 0);
      assert.ok(tracks.every(Number.isInteger) && sum <= width && sum > width - 20, `at ${width} px: ${sum}`);
    }
  });

  it('are those that a person chose, whether they fit or not', () => {
    const ids = (choice: readonly string[] | null) => shownColumns(choice, 400).map(({ id }) => id);
    assert.deepEqual(ids(['cuda', 'ram', 'of another version']), ['gpu', 'price', 'ram', 'cuda']);
    assert.deepEqual(ids([]), ['gpu', 'price']);
    assert.deepEqual(
      ids(null),
      visibleColumns(400).map(({ id }) => id),
    );
    assert.deepEqual(
      ids(OFFER_COLUMNS.map(({ id }) => id)),
      OFFER_COLUMNS.map(({ id }) => id),
    );
  });

  it('round the price of one GPU up, so that none looks cheaper than it is', () => {
    assert.equal(pricePerGpu(testOffer(1, { gpuCount: 3, pricePerHourMicroUsd: '1000001' })), '$0.34');
    assert.equal(pricePerGpu(testOffer(1, { gpuCount: 0 })), null);
  });
});

describe('the words around the table', () => {
  it('say how much is shown and how old it is', () => {
    assert.equal(countWords({ matched: 412, total: 9880 }, t), '412 of 9,880; price includes disk and fees');
    const source = { provider: 'runpod', count: 5, problem: null };
    const words = (fetchedAtMs: number, problem: string | null = null) =>
      sourceWords([{ ...source, fetchedAtMs, problem }], MOMENT_MS, t, titleOf);
    assert.deepEqual(words(MOMENT_MS - 30_000), []);
    assert.deepEqual(words(MOMENT_MS - 200_000)[0], {
      text: 'RunPod 3 min old',
      stale: false,
      problem: null,
    });
    assert.equal(words(MOMENT_MS - 30_000, 'RunPod does not answer.')[0]?.stale, true);
    assert.equal(words(MOMENT_MS - 5 * 3_600_000)[0]?.text, 'RunPod 5 h old');
    const partly = { ...source, problem: 'One has no price.', isPartOnly: true } as const;
    const [fresh] = sourceWords([{ ...partly, fetchedAtMs: MOMENT_MS }], MOMENT_MS, t, titleOf);
    assert.deepEqual(fresh, { text: 'RunPod: some left out', stale: false, problem: 'One has no price.' });
    const [old] = sourceWords([{ ...partly, fetchedAtMs: MOMENT_MS - 200_000 }], MOMENT_MS, t, titleOf);
    assert.deepEqual([old?.text, old?.stale], ['RunPod 3 min old', false]);
  });

  it('say which of the networks that have offers no live run has confirmed', () => {
    const source = { provider: 'runpod', count: 5, fetchedAtMs: MOMENT_MS, problem: null };
    assert.equal(unverifiedWords([source], testProviders, t), 'not yet verified live: RunPod');
    assert.equal(unverifiedWords([{ ...source, count: 0 }], testProviders, t), null);
    const proven = testProviders.map(provider => ({ ...provider, verifiedLive: true }));
    assert.equal(unverifiedWords([source], proven, t), null);
  });

  it('say of an offer that can only be looked at why, wherever one would rent it', () => {
    const why = 'It has no SSH.';
    const shown = testOffer(1, { notRentable: why, cpuCores: 0, ramMiB: 0, diskGiB: 0 });
    assert.equal(nodesProblem([shown], 1, t), why);
    const facts = offerFacts(shown, { t, titleOf, isVerified: () => false });
    assert.deepEqual(facts[0], { title: 'Cannot be rented', value: why });
    assert.equal(facts.find(({ title }) => title === 'CPU')?.value, '–', 'what is not said');
    assert.ok(facts.some(({ title }) => title === 'Not yet verified live'));
    const chosen = new Chosen();
    assert.equal(chosen.toggle(shown, t), why);
    assert.equal(chosen.size, 0);
  });

  it('say why offers cannot make a cluster of several nodes', () => {
    const able = testOffer(1, { multiNode: true, stock: 2 });
    assert.equal(nodesProblem([able], 2, t), null);
    assert.match(nodesProblem([able], 3, t) ?? '', /Only 2/);
    assert.match(nodesProblem([able, testOffer(2, { multiNode: false })], 2, t) ?? '', /cannot reach/);
    assert.match(
      nodesProblem([able, testOffer(2, { multiNode: true, provider: 'elsewhere' })], 2, t) ?? '',
      /one network/,
    );
    assert.equal(nodesProblem([testOffer(2, { multiNode: false })], 1, t), null);
  });
});

describe('the keys of the grid', () => {
  const size = { rows: 100, columns: 10, pageRows: 19 };
  const press = (
    key: string,
    at = { row: 50, column: 3 },
    held: { ctrlKey?: boolean; shiftKey?: boolean } = {},
  ) => keyAction({ key, ctrlKey: false, metaKey: false, shiftKey: false, altKey: false, ...held }, at, size);

  it('move within the rows, the header and the columns', () => {
    assert.deepEqual(press('ArrowDown')?.to, { row: 51, column: 3 });
    assert.deepEqual(press('ArrowUp', { row: 0, column: 3 })?.to, { row: -1, column: 3 });
    assert.deepEqual(press('ArrowDown', { row: 99, column: 3 })?.to, { row: 99, column: 3 });
    assert.deepEqual(press('ArrowLeft', { row: 5, column: 0 })?.to, { row: 5, column: 0 });
    assert.deepEqual(press('PageDown')?.to, { row: 69, column: 3 });
    assert.deepEqual(press('PageUp', { row: 5, column: 3 })?.to, { row: 0, column: 3 });
    assert.deepEqual(press('Home')?.to, { row: 0, column: 3 });
    assert.deepEqual(press('End')?.to, { row: 99, column: 3 });
    assert.deepEqual(press('End', undefined, { ctrlKey: true })?.to, { row: 50, column: 9 });
  });

  it('rent with Enter, choose with the space bar, sort in the header, show all of it with Ctrl+Enter, and leave the rest alone', () => {
    assert.equal(press('Enter')?.kind, 'rent');
    assert.equal(press(' ')?.kind, 'select');
    assert.equal(press('Enter', { row: -1, column: 2 })?.kind, 'sort');
    assert.equal(press('ArrowDown', undefined, { shiftKey: true })?.kind, 'selectAndMove');
    assert.equal(press('Tab'), null);
    assert.equal(press('Enter', undefined, { ctrlKey: true })?.kind, 'details');
    assert.equal(press('Enter', { row: -1, column: 2 }, { ctrlKey: true }), null);
  });
});
