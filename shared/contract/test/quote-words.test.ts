import assert from 'node:assert/strict';
import { type Offer, type Quote, quoteIdSchema, quoteLines, yesLabel } from '../src/index.ts';
import { at, NOW } from './support/moment.ts';

describe('the confirm dialog', () => {
  const offer = {
    provider: 'vast',
    gpuModel: 'RTX 4090',
    gpuCount: 1,
    vramMiB: 24_576,
    cpuCores: 8,
    trust: 'community',
    market: 'on_demand',
    country: 'DE',
    region: null,
    stock: 1,
  } as Offer;
  const quote: Omit<Quote, 'lines' | 'yes'> = {
    id: quoteIdSchema.parse('quo_01KAABCDEFGHJKMNPQRSTVWXYZ'),
    createdAtMs: NOW,
    expiresAtMs: NOW + 1,
    practice: false,
    template: 'notebook',
    engine: 'single',
    nodes: 1,
    candidates: [],
    ratePerHourMicroUsd: '420000',
    highestRatePerHourMicroUsd: '460000',
    parts: [
      { label: 'GPU', perHourMicroUsd: '380000' },
      { label: 'disk', perHourMicroUsd: '30000' },
      { label: 'fees', perHourMicroUsd: '10000' },
    ],
    nonRefundableMicroUsd: '0',
    savingReserveMicroUsd: '0',
    caps: { totalMicroUsd: '2000000', stopAtMs: at(18, 10), idleMs: 1_800_000 },
    save: { paths: [''], toFolder: null },
    secrets: [],
    send: [],
    endsBillingAlone: true,
    again: null,
  };
  const networkOf = () => ({ title: 'Vast.ai', verifiedLive: true });

  it('says which machine, on what terms, what it costs at most and what else is tried', () => {
    assert.deepEqual(quoteLines(quote, [offer, offer, offer, offer, offer], networkOf), [
      'Rent 1× RTX 4090, 24 GB (on demand, community, DE) on Vast.ai?',
      '$0.42/h: GPU 0.38, disk 0.03, fees 0.01',
      'Stops at $2.00, 18:10 (4.1 h) or 30 min idle, whichever is first',
      'At $0.42/h that is at most $1.72 until 18:10',
      'Not idle: cells, Ray jobs and tasks, typing, copies, GPUs above 10 %, processes above 5 % of a core or 100 kB/s of disk or network (seen on Linux)',
      'When it stops, ~/work is copied here first, inside the $2.00; then the machine is deleted',
      'Works with this computer off: it ends by itself at 18:10',
      'Community host: its owner can read your data',
      'If it is taken, Hitch tries up to 4 similar ones, at most $0.46/h',
    ]);
    assert.equal(yesLabel(quote), 'Rent for up to $0.46/h');
  });

  it('calls other machines similar only where they are, not where a filter let other kinds in', () => {
    const last = (...others: Offer[]) => quoteLines(quote, [offer, ...others], networkOf).at(-1);
    assert.equal(last(offer), 'If it is taken, Hitch tries up to 1 similar one, at most $0.46/h');
    assert.equal(
      last(offer, { ...offer, gpuModel: 'RTX 3060', vramMiB: 12_288 }),
      'If it is taken, Hitch tries up to 2 others that fit what was asked for, at most $0.46/h',
    );
  });

  it('counts what is spent, and what the other machines cost, where one of them is replaced', () => {
    const running = { spentMicroUsd: 1_000_000n, ratePerHourMicroUsd: 420_000n };
    const caps = { totalMicroUsd: '2000000', stopAtMs: null, idleMs: null };
    const lasting = quoteLines({ ...quote, caps }, [offer], networkOf, { running });
    assert.deepEqual(lasting.slice(2, 4), [
      'Stops at $2.00 in all ($1.00 is spent)',
      'At $0.84/h for all its machines the $2.00 last until about 15:16',
    ]);
    const timed = quoteLines(
      { ...quote, caps: { ...caps, totalMicroUsd: '20000000', stopAtMs: at(18, 10) } },
      [offer],
      networkOf,
      { running },
    );
    assert.equal(timed[3], 'At $0.84/h for all its machines that is at most $4.43 in all until 18:10');
  });

  it('says what is different: no saving, no stop time, a laptop that has to wake, practice, a new network', () => {
    const lines = quoteLines(
      {
        ...quote,
        nodes: 2,
        caps: { totalMicroUsd: '2000000', stopAtMs: null, idleMs: null },
        save: { paths: [], toFolder: null },
        endsBillingAlone: false,
        secrets: ['HF_TOKEN'],
      },
      [offer, offer].map(one => ({ ...one, trust: 'verified' as const, market: 'spot' as const })),
      () => ({ title: 'Vast.ai', verifiedLive: false }),
    );
    assert.deepEqual(
      [lines[0], ...lines.slice(2)],
      [
        'Rent 2 nodes, each 1× RTX 4090, 24 GB (spot, verified, DE), on Vast.ai?',
        'Stops at $2.00',
        'At $0.42/h the $2.00 last until about 18:50',
        'Nothing is saved: when it stops, the machines are deleted with everything there',
        '⚠ With this computer asleep or off it goes on billing past its limits, until Hitch is back',
        'Spot: the network may take the machine away at any moment, with what is not saved',
        'Vast.ai: not yet verified live',
        'Gets the secrets HF_TOKEN',
        'If it is taken, nothing is rented; prices move: at most $0.46/h',
      ],
    );
    const practice = quoteLines({ ...quote, practice: true }, [offer], networkOf);
    assert.ok(
      practice.includes('Practice: nothing is paid; these are processes on this computer, without CUDA'),
    );
  });
});
