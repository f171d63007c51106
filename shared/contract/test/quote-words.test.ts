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
    endsBillingAlone: true,
    again: null,
  };
  const networkOf = () => ({ title: 'Vast.ai', verifiedLive: true });

  it('has the lines of UX.md', () => {
    assert.deepEqual(quoteLines(quote, [offer, offer, offer, offer, offer], networkOf), [
      'Rent 1× RTX 4090 on Vast.ai?',
      '$0.42/h: GPU 0.38, disk 0.03, fees 0.01. Non-refundable: $0.00',
      'Stops at $2.00, 18:10 or 30 min idle, whichever is first',
      'Then: save ~/work here, destroy. Saving is inside the $2.00',
      'Laptop off: ends itself at 18:10',
      'Community host: its owner can read your data',
      'If taken: up to 4 others, at most $0.46/h',
    ]);
    assert.equal(yesLabel(quote), 'Rent for up to $0.46/h');
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
      [{ ...offer, trust: 'verified' }, offer].map(one => ({ ...one, trust: 'verified' as const })),
      () => ({ title: 'Vast.ai', verifiedLive: false }),
    );
    assert.deepEqual(
      [lines[0], ...lines.slice(2)],
      [
        'Rent 2 nodes, each 1× RTX 4090, on Vast.ai?',
        'Stops at $2.00',
        'Then: destroy. Nothing is saved',
        'Laptop off: ⚠ bills until this computer wakes',
        'Vast.ai: not yet verified live',
        'Gets the secrets HF_TOKEN',
      ],
    );
    const practice = quoteLines({ ...quote, practice: true }, [offer], networkOf);
    assert.ok(
      practice.includes('Practice: nothing is paid; these are processes on this computer, without CUDA'),
    );
  });
});
