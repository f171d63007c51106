import assert from 'node:assert/strict';
import {
  type Cluster,
  type HitchApi,
  type LimitChange,
  type Quote,
  quoteRequestSchema,
} from '@hitch/contract';
import { rentAgain } from '../src/rent/again.ts';
import { offersOf } from '../src/rent/named-offers.ts';
import {
  type Draft,
  type Limits,
  limitsFrom,
  limitWords,
  nameProblem,
  nextOthers,
  othersWords,
  paidWords,
  quoteRequestOf,
  readDollars,
  readDuration,
  readHours,
  readPaths,
} from '../src/rent/draft.ts';
import { arrivalOf } from '../src/rent/progress.ts';
import { offerWords } from '../src/rent/offer-words.ts';
import { secretLines, secretNameProblem, secretWords, toggled } from '../src/rent/secrets.ts';
import { cluster, NOW, offer } from './sample.ts';

const limits = limitsFrom({ capDollars: 2.5, idleMinutes: 30, stopAfterHours: 0, save: ['results', '/etc'] });

describe('hours paid ahead in the steps', () => {
  const sold = offer({
    pricePerHourMicroUsd: '600000',
    nonRefundableMicroUsd: '0',
    termMs: 3_600_000,
    floorMicroUsd: '600000',
    dueNowMicroUsd: '600000',
    refundable: 'exact_after_floor',
  });
  const four = { ...limits, capMicroUsd: 5_000_000n, stopAfterMs: 4 * 3_600_000 };

  it('have their price beside them, only where an offer is sold so', () => {
    const words = (change: Partial<Limits>, offers = [sold]) =>
      paidWords({ limits: { ...four, ...change }, nodes: 1 }, offers, NOW);
    assert.equal(words({}), '4 h: $2.40 now; what is not used comes back, but for $0.60');
    assert.equal(words({ paidMs: 7_200_000 }), '2 h: $1.20 now; what is not used comes back, but for $0.60');
    assert.equal(words({}, [offer()]), null);
  });

  it('are read as people type them, and asked for in the quote', () => {
    const read = (text: string) => readHours(text, { offers: [sold], limits: four });
    assert.deepEqual(read('2 h'), { paidMs: 7_200_000 });
    assert.deepEqual(read(''), { paidMs: null });
    assert.deepEqual(read('0.5'), {
      problem: 'Enter hours from 1 to 8784, or nothing to pay until it stops.',
    });
    assert.match(JSON.stringify(read('5')), /It stops after 4 h: pay for less ahead/);
    const draft: Draft = {
      nodes: 1,
      template: null,
      filter: {},
      maxNodePricePerHourMicroUsd: null,
      offerIds: [],
      name: '',
      limits: { ...four, paidMs: 7_200_000 },
      secrets: [],
      environment: null,
    };
    assert.equal(quoteRequestOf(draft, NOW).termMs, 7_200_000);
    assert.equal('termMs' in quoteRequestOf({ ...draft, limits: four }, NOW), false);
  });
});

describe('renting once more for a cluster', () => {
  const quoteOf = (caps: Quote['caps']) =>
    ({ createdAtMs: NOW, caps, save: { paths: ['out'], toFolder: null }, candidates: [{}, {}] }) as Quote;

  /** What was asked for and shown, with the person's answers in their order. */
  async function renting(phase: Cluster['phase'], answers: ('change' | 'yes' | 'no')[]) {
    const asked: LimitChange[] = [];
    const shown: Limits[] = [];
    let extended = 0;
    const rented = await rentAgain(
      { phase },
      {
        quote: async change => {
          asked.push(change);
          return quoteOf({ totalMicroUsd: '20000000', stopAtMs: NOW + 7_200_000, idleMs: null });
        },
        confirm: async () => {
          const answer = answers.shift();
          return answer === 'change' ? 'change' : answer === 'yes' ? cluster({ name: 'llm-dev' }) : null;
        },
        changeLimits: async limits => {
          shown.push(limits);
          return { ...limits, capMicroUsd: 5_000_000n, stopAfterMs: 0 };
        },
        extend: async () => {
          extended += 1;
        },
      },
    );
    return { asked, shown, extended, rented };
  }

  it('asks for what was ordered, and rents it on a yes only', async () => {
    const no = await renting('stopped', ['no']);
    assert.deepEqual([no.asked, no.rented], [[{}], null]);
    const yes = await renting('stopped', ['yes']);
    assert.equal(yes.rented?.cluster.name, 'llm-dev');
    assert.equal(yes.rented.candidates, 2);
  });

  it('changes the limits of a stopped cluster from those that were ordered, and asks for its price anew', async () => {
    const { asked, shown, rented } = await renting('stopped', ['change', 'yes']);
    assert.deepEqual(shown, [{ capMicroUsd: 20_000_000n, stopAfterMs: 7_200_000, idleMs: 0, save: ['out'] }]);
    assert.deepEqual(asked, [{}, { capMicroUsd: '5000000', stopAtMs: null, idleMs: null }]);
    assert.notEqual(rented, null);
  });

  it('has the hours that are paid ahead changed too, where time is sold so', async () => {
    const asked: object[] = [];
    const answers = ['change', 'yes'];
    const caps = { totalMicroUsd: '20000000', stopAtMs: NOW + 7_200_000, idleMs: null };
    const sold = { ...quoteOf(caps), candidates: [{ termMs: 7_200_000 }] } as Quote;
    await rentAgain(
      { phase: 'stopped' },
      {
        quote: async change => {
          asked.push(change);
          return sold;
        },
        confirm: async () => (answers.shift() === 'change' ? 'change' : cluster({ name: 'llm-dev' })),
        changeLimits: async (limits, quote) => {
          assert.equal(quote, sold);
          assert.equal(limits.paidMs, null, 'until it stops, as it was ordered');
          return { ...limits, paidMs: 3_600_000 };
        },
        extend: () => assert.fail('it does not run'),
      },
    );
    assert.deepEqual(asked.at(-1), {
      capMicroUsd: '20000000',
      stopAtMs: NOW + 7_200_000,
      idleMs: null,
      termMs: 3_600_000,
    });
  });

  it('reads the offers of a quote where time is sold ahead, from as many pages as it takes', async () => {
    const all = Array.from({ length: 1_500 }, (_, each) => ({ id: `ionet:${each.toString()}` }));
    let pages = 0;
    const api = {
      offers: {
        query: async ({ offset, limit }: { offset: number; limit: number }) => {
          pages += 1;
          return { offers: all.slice(offset, offset + limit) };
        },
      },
    } as unknown as Pick<HitchApi, 'offers'>;
    const quote = (termMs?: number) =>
      ({ candidates: [{ offerId: 'ionet:1400', provider: 'ionet', termMs }] }) as unknown as Quote;
    assert.deepEqual(await offersOf(api, quote(3_600_000)), [{ id: 'ionet:1400' }]);
    assert.equal(pages, 2);
    assert.deepEqual(await offersOf(api, quote()), []);
    assert.equal(pages, 2, 'nothing is asked where nothing is sold ahead');
  });

  it('extends a cluster that runs, whose limits hold for the machines in the place of its lost ones', async () => {
    const { asked, shown, extended } = await renting('degraded', ['change', 'yes']);
    assert.deepEqual([asked, shown, extended], [[{}, {}], [], 1]);
  });
});

describe('what a person chose to rent', () => {
  it('makes a request that the daemon takes, with the limits of the settings', () => {
    const draft: Draft = {
      nodes: 2,
      template: 'ray',
      filter: { multiNode: true },
      maxNodePricePerHourMicroUsd: null,
      offerIds: [],
      name: '',
      limits,
      secrets: ['HF_TOKEN'],
      environment: null,
    };
    const request = quoteRequestSchema.parse(quoteRequestOf(draft, NOW));
    assert.equal(request.capMicroUsd, '2500000');
    assert.equal(request.stopAtMs, null);
    assert.equal(request.idleMs, 1_800_000);
    assert.deepEqual(request.save.paths, ['results']);
    assert.deepEqual(request.secrets, ['HF_TOKEN']);
    const timed = quoteRequestOf({ ...draft, limits: { ...limits, stopAfterMs: 7_200_000 } }, NOW);
    assert.equal(timed.stopAtMs, NOW + 7_200_000);
  });

  it('asks for other networks only where that was chosen, and never for machines that must reach each other', () => {
    const of = (change: Partial<Limits>, nodes: number) =>
      quoteRequestOf(
        {
          nodes,
          template: null,
          filter: {},
          maxNodePricePerHourMicroUsd: null,
          offerIds: [],
          name: '',
          limits: { ...limits, ...change },
          secrets: [],
          environment: null,
        },
        NOW,
      ).otherNetworks;
    assert.equal(of({}, 1), undefined);
    assert.deepEqual([of({ otherNetworks: true }, 1), of({ otherNetworks: false }, 1)], [true, false]);
    assert.equal(of({ otherNetworks: true }, 2), undefined);
    const [any, own] = [nextOthers(limits), nextOthers(nextOthers(limits))];
    assert.deepEqual([limits, any, own, nextOthers(own)].map(othersWords), [
      'If the offer is gone: others that the filters let in',
      'If the offer is gone: others of every network',
      'If the offer is gone: others of its own network alone',
      'If the offer is gone: others that the filters let in',
    ]);
  });

  it('is said in one line', () => {
    assert.equal(limitWords(limits), 'at most $2.50, no stop time, 30 min idle, saves results');
  });

  it('is read from what people type, or a sentence says what is wrong', () => {
    assert.deepEqual(readDollars('$2'), { amount: 2_000_000n });
    assert.ok('problem' in readDollars('0'));
    assert.ok('problem' in readDollars('two'));
    assert.deepEqual(readDuration('2 h'), { ms: 7_200_000 });
    assert.deepEqual(readDuration('1.5h'), { ms: 5_400_000 });
    assert.deepEqual(readDuration('never'), { ms: 0 });
    assert.ok('problem' in readDuration('5 s'));
    assert.ok('problem' in readDuration('90 d'));
    assert.deepEqual(readPaths('results, ~/work/a.pt ,'), { paths: ['results', 'a.pt'] });
    assert.ok('problem' in readPaths('../x'));
  });

  it('has a name that is free and valid, or none', () => {
    assert.equal(nameProblem('', []), null);
    assert.equal(nameProblem('llm-dev', []), null);
    assert.match(nameProblem('llm-dev', ['llm-dev']) ?? '', /Another cluster is called llm-dev/);
    assert.match(nameProblem('LLM', []) ?? '', /lower-case/);
  });
});

describe('the secrets that a new cluster gets', () => {
  const shown = (stored: readonly string[], given: readonly string[]) =>
    secretLines(stored, given, null).map(({ icon, label }) => `${icon} ${label}`);

  it('are chosen among those that are stored, with a line to store another', () => {
    assert.equal(secretWords([]), 'Secrets: none');
    assert.deepEqual(shown([], []), ['arrow-right Back to the limits', 'add Add a secret…']);
    assert.deepEqual(shown(['WANDB_KEY', 'HF_TOKEN'], toggled([], 'HF_TOKEN')), [
      'arrow-right Back to the limits',
      'check HF_TOKEN',
      'circle-large-outline WANDB_KEY',
      'add Add a secret…',
    ]);
    assert.deepEqual(toggled(['HF_TOKEN', 'WANDB_KEY'], 'HF_TOKEN'), ['WANDB_KEY']);
    assert.equal(secretWords(['HF_TOKEN', 'WANDB_KEY']), 'Secrets: HF_TOKEN, WANDB_KEY');
  });

  it('can be taken out again when they are stored no more, and says so', () => {
    const [, gone] = secretLines(['WANDB_KEY'], ['HF_TOKEN'], null);
    assert.deepEqual([gone?.label, gone?.detail], ['HF_TOKEN', 'It is not stored on this computer']);
    const [, unknown] = secretLines(null, ['HF_TOKEN'], null);
    assert.deepEqual([unknown?.label, unknown?.detail], ['HF_TOKEN', undefined]);
  });

  it('says where they lie unencrypted, before one is added', () => {
    const warning = 'This computer’s keychain cannot be used.';
    assert.equal(secretLines([], [], warning).at(-1)?.detail, warning);
  });

  it('have names of environment variables, and none is written over', () => {
    assert.equal(secretNameProblem('HF_TOKEN', []), null);
    assert.match(secretNameProblem('hf token', []) ?? '', /capital letters, digits and underscores/);
    assert.match(secretNameProblem('', []) ?? '', /capital letters/);
    assert.match(secretNameProblem('HF_TOKEN', ['HF_TOKEN']) ?? '', /There is a secret HF_TOKEN/);
  });
});

describe('a cluster on its way', () => {
  it('can be used as soon as a notebook can run', () => {
    assert.equal(arrivalOf(cluster({ phase: 'starting' })), 'usable');
    assert.equal(arrivalOf(cluster({ phase: 'bootstrapping' }, { kernel: false })), 'coming');
    assert.equal(arrivalOf(cluster({ phase: 'failed' })), 'over');
    assert.equal(arrivalOf(cluster({ phase: 'stopping' })), 'over');
  });
});

describe('an offer in a list', () => {
  it('says who could read the data and whether it bills while the laptop is off', () => {
    const words = offerWords(offer({ trust: 'community' }), () => 'Vast.ai');
    assert.equal(words.title, '1× RTX 4090, 24 GB');
    assert.match(words.detail, /its owner can read your data/);
    assert.match(words.detail, /⚠ keeps billing while this computer is off/);
    assert.match(words.detail, /99\.0 % reliable/);
  });

  it('says first why it can only be looked at, and that no live run has confirmed its network', () => {
    const shown = offer({ notRentable: 'It has no SSH.', cpuCores: 0, ramMiB: 0, diskGiB: 0 });
    const { detail } = offerWords(
      shown,
      () => 'Nosana',
      () => false,
    );
    assert.match(detail, /^⚠ It has no SSH\. · Nosana · not yet verified live · /);
    assert.doesNotMatch(detail, /cores/, 'what is not said is left out');
  });
});
