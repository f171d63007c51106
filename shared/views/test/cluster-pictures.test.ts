import assert from 'node:assert/strict';
import { quoteLineTone, type TemplateInfo } from '@hitch/contract';
import { asWritten as t } from '../src/base/translate.ts';
import { accrued, forecast, polyline, scale } from '../src/cost/geometry.ts';
import {
  firstChoices,
  quoteRequest,
  rentProblems,
  stopAtMs,
  type RentChoices,
} from '../src/rent/rent-choices.ts';
import { eventWords, tellingEvents, valueWords } from '@hitch/contract/src/event-words.ts';
import { lanes, ticks, tickText } from '../src/timeline/lanes.ts';
import { testCluster, testEvents, testQuote } from './support/cluster.ts';
import { MOMENT_MS, testOffer } from './support/offers.ts';

const HOUR_MS = 3_600_000;

describe('the cost over time', () => {
  it('is the sum of its parts at every bend, to the micro-dollar', () => {
    const points = accrued(testCluster(), MOMENT_MS);
    assert.deepEqual(
      points.map(({ microUsd }) => microUsd),
      [0n, 0n, 100_000n, 100_000n + (420_000n * 57n) / 60n],
    );
    assert.equal(points[1]?.atMs, points[2]?.atMs, 'what is paid at once is a step');
  });

  it('stops at the stop time, and never over the cap', () => {
    const cluster = testCluster();
    assert.deepEqual(forecast(cluster, MOMENT_MS), { atMs: MOMENT_MS + 2 * HOUR_MS, microUsd: 1_339_000n });
    const capped = testCluster({
      caps: { ...cluster.caps, stopAtMs: null },
      usage: { ...cluster.usage, capReachedAtMs: MOMENT_MS + 10 * HOUR_MS },
    });
    assert.equal(forecast(capped, MOMENT_MS)?.microUsd, 2_000_000n);
    assert.equal(forecast(testCluster({ endedAtMs: MOMENT_MS }), MOMENT_MS), null);
  });

  it('is drawn inside its box', () => {
    const place = scale({ left: 10, top: 5, width: 100, height: 50 }, 0, 1000, 2_000_000n);
    const line = polyline(
      [
        { atMs: 0, microUsd: 0n },
        { atMs: 1000, microUsd: 2_000_000n },
      ],
      place,
    );
    assert.equal(line, '10.0,55.0 110.0,5.0');
  });
});

describe('the timeline', () => {
  it('has a lane for the cluster, each node and each purchase, and marks what warns', () => {
    const all = lanes(testCluster(), testEvents(), MOMENT_MS);
    assert.deepEqual(
      all.map(({ kind }) => kind),
      ['cluster', 'node', 'attempt', 'attempt'],
    );
    // The second one comes from a daemon that says the offer's id only.
    assert.deepEqual(
      all.slice(2).map(({ title, detail }) => [title, detail]),
      [
        ['Offer 1: 1× RTX 4090, 24 GB, Vast.ai, DE', 'vast:7'],
        ['Offer 2: vast:9', 'vast:9'],
      ],
    );
    assert.deepEqual(
      all[0]?.spans.map(({ words }) => words),
      ['Renting', 'Renting', 'Installing', 'Starting', 'Ready'],
    );
    assert.equal(all[0]?.spans.at(-1)?.endMs, MOMENT_MS);
    assert.deepEqual(
      all[1]?.marks.map(({ tone }) => tone),
      ['warning'],
    );
    const refused = all[2]?.spans.at(-1);
    assert.equal(refused?.tone, 'bad');
    assert.equal(refused?.startMs, refused?.endMs, 'an end takes no time');
  });

  it('tells of something to destroy once the cluster is to end, not at its birth', () => {
    const [first] = testEvents();
    assert.ok(first);
    const cleanup = { ...first, kind: 'condition', value: 'cleanup:no:not_confirmed' } as const;
    const stopping = { ...first, value: 'stopping' };
    assert.deepEqual(tellingEvents([first, cleanup]), [first]);
    assert.deepEqual(tellingEvents([first, cleanup, stopping, cleanup]), [first, stopping, cleanup]);
  });

  it('leaves out what is true of every cluster as it begins and as it ends', () => {
    const [first] = testEvents();
    assert.ok(first);
    const told = (values: readonly string[]) =>
      tellingEvents(
        values.map(
          value => ({ ...first, kind: value.includes(':') ? 'condition' : 'phase', value }) as const,
        ),
      ).map(valueWords);
    assert.deepEqual(
      told(['requested', 'kernel:no:requested', 'engine:no:starting', 'billing:no:nothing_rented']),
      ['Renting'],
    );
    assert.deepEqual(
      told(['kernel:yes:running', 'kernel:no:starting', 'kernel:no:restarting']),
      ['Notebook server ready', 'Notebook server not running', 'Notebook server not running'],
      'a server that went away is news',
    );
    const again = [
      'ready',
      'kernel:yes:running',
      'stopping',
      'cleanup:no:machines_left',
      'stopped',
      'requested',
    ];
    assert.deepEqual(
      told([...again, 'cleanup:no:machines_left', 'kernel:no:requested', 'ready', 'kernel:unknown:silent']),
      [
        'Ready',
        'Notebook server ready',
        'Stopping',
        'Waiting for confirmation',
        'Stopped',
        'Renting',
        'Ready',
        'Notebook server does not answer',
      ],
      'a cluster that is started again begins anew',
    );
    assert.deepEqual(told(['kernel:no:failed']), ['Notebook server not running']);
    assert.deepEqual(
      told([
        'billing:yes:running',
        'stopping',
        'kernel:no:stopped',
        'billing:no:x',
        'cleanup:yes:x',
        'stopped',
      ]),
      ['Billing', 'Stopping', 'Billing ended', 'Stopped'],
    );
  });

  it('has no line for a cluster that repeats its node, but one for the cluster that is ready', () => {
    const [first] = testEvents();
    assert.ok(first);
    const node = (value: string) => ({ ...first, kind: 'node' as const, value });
    const phase = (value: string) => ({ ...first, kind: 'phase' as const, value });
    assert.deepEqual(
      tellingEvents([node('bootstrapping'), phase('bootstrapping'), node('ready'), phase('ready')]).map(
        ({ kind, value }) => `${kind} ${value}`,
      ),
      ['node bootstrapping', 'node ready', 'phase ready'],
    );
    assert.equal(tellingEvents([node('starting'), { ...phase('starting'), message: 'Ray 0/2' }]).length, 2);
  });

  it('does not say twice what a message says', () => {
    const words = (value: string, message: string) => eventWords({ kind: 'condition', value, message });
    assert.equal(words('limits', 'New limits: $3.00.'), '');
    assert.equal(words('billing:unknown:unclear_purchase', 'Vast.ai has not answered yet.'), '');
    assert.equal(words('billing:yes:running', ''), 'Billing');
    assert.equal(words('kernel:no:failed', 'It has no room.'), 'Notebook server not running');
  });

  it('puts its hours on round moments', () => {
    const found = ticks(MOMENT_MS - 58 * 60_000, MOMENT_MS, 8);
    assert.ok(found.length > 0 && found.length <= 8);
    assert.ok(found.every(atMs => atMs % 600_000 === 0));
  });

  it('says at midnight which day begins: two midnights are no two times alike', () => {
    const noon = new Date(2026, 10, 26, 12).getTime();
    assert.deepEqual(ticks(noon, noon + 48 * 3_600_000, 4).map(tickText), ['11-27', '11-28']);
    assert.deepEqual(ticks(noon, noon + 18 * 3_600_000, 4).map(tickText), ['16:00', '11-27']);
  });
});

describe('the rent form', () => {
  const context = {
    offers: [testOffer(1, { multiNode: false })],
    filter: { countries: ['DE'] },
    takenNames: ['llm-dev'],
    templates: [],
    nowMs: MOMENT_MS,
    t,
  };
  const with_ = (changes: Partial<RentChoices>): RentChoices => ({ ...firstChoices({}, 1), ...changes });

  it('begins with one machine, two dollars, four hours and thirty idle minutes', () => {
    const choices = firstChoices({}, 1);
    assert.deepEqual(rentProblems(choices, context), {});
    const request = quoteRequest(choices, context);
    assert.deepEqual(
      [request.engine, request.nodes, request.capMicroUsd, request.idleMs, request.offerIds],
      ['single', 1, '2000000', 1_800_000, [context.offers[0]?.id]],
    );
    assert.deepEqual(request.filter, { countries: ['DE'] });
    assert.equal(request.stopAtMs, MOMENT_MS + 4 * HOUR_MS);
    assert.equal(firstChoices({}, 2).engine, 'ray');
  });

  it('asks for the template of what the cluster is set up as', () => {
    const template = (id: string, engine: 'single' | 'ray') =>
      ({
        id,
        title: id,
        description: '',
        engine,
        minNodes: 1,
        needs: 'any machine',
        source: 'hitch',
        folder: '/templates',
        version: '1.0.0',
        tags: [],
        runs: false,
        problems: 0,
      }) satisfies TemplateInfo;
    const templates = [template('notebook', 'single'), template('ray', 'ray'), template('vllm', 'ray')];
    const asked = (changes: Partial<RentChoices>) =>
      quoteRequest(with_(changes), { ...context, templates }).template;
    assert.equal(asked({}), 'notebook');
    assert.equal(asked({ engine: 'ray' }), 'ray');
    assert.equal(asked({ engine: 'ray', template: 'vllm' }), 'vllm');
  });

  it('answers each wrong field with a sentence of its own', () => {
    const wrong: readonly (readonly [Partial<RentChoices>, string])[] = [
      [{ name: 'LLM' }, 'name'],
      [{ name: 'llm-dev' }, 'name'],
      [{ nodes: '0' }, 'nodes'],
      [{ nodes: '2', engine: 'ray' }, 'nodes'],
      [{ cap: 'two' }, 'capMicroUsd'],
      [{ cap: '0' }, 'capMicroUsd'],
      [{ stop: 'at', stopAt: '2001-01-01T10:00' }, 'stopAtMs'],
      [{ stop: 'at', stopAt: '' }, 'stopAtMs'],
      [{ idle: 'x' }, 'idleMs'],
      [{ save: ['../out'] }, 'save'],
    ];
    for (const [changes, field] of wrong) {
      const problems = Object.entries(rentProblems(with_(changes), context));
      assert.deepEqual(
        problems.map(([name]) => name),
        [field],
      );
      assert.match(problems[0]?.[1] ?? '', /\.$/);
    }
  });

  it('reads a stop time by the clock of this computer', () => {
    const at = stopAtMs(with_({ stop: 'at', stopAt: '2026-11-25T18:10' }), MOMENT_MS);
    assert.equal(at, new Date(2026, 10, 25, 18, 10).getTime());
    assert.equal(stopAtMs(with_({ stop: 'none' }), MOMENT_MS), null);
  });
});

describe('the lines of a quote', () => {
  it('weigh as much as what they say', () => {
    assert.deepEqual(testQuote().lines.map(quoteLineTone), [
      'plain',
      'plain',
      'plain',
      'plain',
      'plain',
      'warning',
      'warning',
      'warning',
      'plain',
    ]);
    assert.equal(quoteLineTone('Practice: nobody is charged'), 'practice');
  });
});
