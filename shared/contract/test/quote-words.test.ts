import assert from 'node:assert/strict';
import { type Offer, type Quote, quoteIdSchema, quoteLines, quoteLineTone, yesLabel } from '../src/index.ts';
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
    nonRefundableMicroUsd: '0',
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
    floorMicroUsd: '0',
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
      'Rent 1× RTX 4090, 24 GB (on demand, community, DE) from Vast.ai?',
      '$0.42/h: GPU 0.38, disk 0.03, fees 0.01',
      'Runs until 18:10 (4.1 h), $2.00 is spent or it is idle for 30 min, whichever comes first',
      'At $0.42/h that is at most $1.72 until 18:10',
      'Idle means none of these: running cells, Ray jobs and tasks, typing in a terminal, file copies, GPUs above 10 %, processes above 5 % of a core or 100 kB/s of disk or network (processes only on Linux)',
      'When it stops: ~/work is copied to this computer first (paid from the $2.00), then the machine is deleted with everything on it',
      'Works with this computer off: ends by itself at 18:10',
      'Community host: its owner can read your data',
      'If this offer is gone, Hitch tries up to 4 similar ones, at most $0.46/h',
    ]);
    assert.equal(yesLabel(quote), 'Rent for up to $0.46/h');
  });

  it('says how many others may be rented in the place of a machine that does not start, and at what price', () => {
    const said = (changes: Partial<Quote>): string | undefined =>
      quoteLines({ ...quote, ...changes }, [offer, offer, offer], networkOf).find(line =>
        line.includes('does not start'),
      );
    assert.equal(
      said({ othersIfNotUp: 2 }),
      'If the machine does not start, it is ended and paid for until then, and up to 2 others are, one after the other, rented in its place: at most $0.46/h, all inside the $2.00',
    );
    assert.match(
      said({ othersIfNotUp: 1, nodes: 2 }) ?? '',
      /If a machine .*another is rented in the place of each/,
    );
    assert.equal(said({}), undefined);
  });

  it('warns of a machine that does not come back by itself after a reboot', () => {
    const line =
      '⚠ After a reboot of the machine, Hitch runs there again and holds its limits only once this computer reaches it';
    assert.ok(!quoteLines(quote, [offer], networkOf).includes(line));
    const lines = quoteLines(quote, [{ ...offer, returnsAfterReboot: false }], networkOf);
    assert.ok(lines.includes(line), lines.join('\n'));
    assert.equal(quoteLineTone(line), 'warning');
  });

  it('says of machines of one’s own that they stay', () => {
    const own = { ...offer, trust: 'own' as const };
    const lines = quoteLines({ ...quote, save: { paths: [], toFolder: null } }, [own], networkOf);
    assert.ok(
      lines.includes(
        'Nothing is saved: when it stops, its processes are ended and its folders deleted; the machine itself stays as it was. To keep files, choose paths to save',
      ),
      lines.join('\n'),
    );
  });

  it('calls other machines similar only where they are, not where a filter let other kinds in', () => {
    const last = (...others: Offer[]) => quoteLines(quote, [offer, ...others], networkOf).at(-1);
    assert.equal(last(offer), 'If this offer is gone, Hitch tries up to 1 similar one, at most $0.46/h');
    assert.equal(
      last(offer, { ...offer, gpuModel: 'RTX 3060', vramMiB: 12_288 }),
      'If this offer is gone, Hitch tries up to 2 others that match your filters, at most $0.46/h',
    );
  });

  it('counts what is spent, and what the other machines cost, where one of them is replaced', () => {
    const running = { spentMicroUsd: 1_000_000n, ratePerHourMicroUsd: 420_000n };
    const caps = { totalMicroUsd: '2000000', stopAtMs: null, idleMs: null };
    const lasting = quoteLines({ ...quote, caps }, [offer], networkOf, { running });
    assert.deepEqual(lasting.slice(2, 4), [
      'Runs until $2.00 is spent in total ($1.00 so far)',
      'At $0.84/h for all its machines $2.00 lasts until about 15:16',
    ]);
    const timed = quoteLines(
      { ...quote, caps: { ...caps, totalMicroUsd: '20000000', stopAtMs: at(18, 10) } },
      [offer],
      networkOf,
      { running },
    );
    assert.equal(timed[3], 'At $0.84/h for all its machines that is at most $4.43 in total until 18:10');
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
        'Rent 2 nodes, each 1× RTX 4090, 24 GB (spot, verified, DE), from Vast.ai?',
        'Runs until $2.00 is spent',
        'At $0.42/h $2.00 lasts until about 18:50',
        'Nothing is saved: when it stops, both machines are deleted with everything on them. To keep files, choose paths to save',
        '⚠ If this computer sleeps or is off, the machines keep running and billing past their limits until Hitch is back',
        'Spot: the network can take the machine back at any time; what is not saved is lost',
        'Vast.ai: support for it is not yet verified live',
        'Secrets it can read: HF_TOKEN',
        'If one of these offers is gone, nothing is rented. Prices move: up to $0.46/h is accepted',
      ],
    );
    const practice = quoteLines({ ...quote, practice: true }, [offer], networkOf);
    assert.ok(
      practice.includes(
        'Practice: nobody is charged; the machines are processes on this computer, without CUDA',
      ),
    );
  });

  it('says what is paid in any case, and counts the hours towards it', () => {
    const kept = {
      ...offer,
      pricePerHourMicroUsd: '420000',
      floorMicroUsd: '420000',
    };
    const caps = { totalMicroUsd: '2000000', stopAtMs: at(14, 35), idleMs: null };
    const lines = quoteLines({ ...quote, caps }, [kept], networkOf);
    assert.deepEqual(
      [lines[1], lines[3]],
      [
        '$0.42/h: GPU 0.38, disk 0.03, fees 0.01. At least $0.42: the first hour is paid in any case',
        'At $0.42/h that is at most $0.42 until 14:35',
      ],
    );
    const price = (quoted: Partial<Quote>, ...offers: Offer[]) =>
      quoteLines({ ...quote, ...quoted }, offers, networkOf)[1];
    assert.equal(
      price({ nodes: 2, parts: [], ratePerHourMicroUsd: '840000' }, { ...kept, stock: 2 }),
      '$0.84/h. At least $0.84: the first hour of each is paid in any case',
    );
    assert.equal(
      price({ nodes: 2, parts: [] }, kept, { ...kept, floorMicroUsd: '100000' }),
      '$0.42/h. At least $0.52: that much is paid in any case',
    );
    assert.equal(
      price({ parts: [], nonRefundableMicroUsd: '100000' }, { ...kept, floorMicroUsd: '840000' }),
      '$0.42/h. At least $0.84: the first 2 h is paid in any case. Non-refundable: $0.10',
    );
  });

  it('says where another machine would keep more', () => {
    const kept = {
      ...offer,
      pricePerHourMicroUsd: '420000',
      floorMicroUsd: '420000',
      nonRefundableMicroUsd: '0',
    };
    assert.equal(
      quoteLines(quote, [{ ...kept, floorMicroUsd: '0' }, kept], networkOf).at(-1),
      'If this offer is gone, Hitch tries up to 1 similar one, at most $0.46/h, at least $0.42 each',
    );
  });

  it('says where time is paid ahead, and counts each term that begins', () => {
    const ahead = { ...offer, pricePerHourMicroUsd: '420000', floorMicroUsd: '420000', termMs: 3_600_000 };
    const caps = { totalMicroUsd: '2000000', stopAtMs: at(15, 20), idleMs: null };
    const lines = quoteLines({ ...quote, caps }, [ahead], networkOf);
    assert.ok(
      lines.includes(
        'Paid ahead: 1 h at a time ($0.42 now), not given back. Hitch buys more before it is over, within the limits above; where no more is bought, it stops some minutes early, to save and delete',
      ),
      lines.join('\n'),
    );
    assert.ok(lines.includes('With this computer off: ends by itself when what is paid ahead is over'));
    assert.ok(lines.includes('At $0.42/h that is at most $0.84 until 15:20'), lines.join('\n'));
    const due = { ...ahead, dueNowMicroUsd: '1810000', refundable: 'exact_after_floor' as const };
    const rounded = quoteLines({ ...quote, caps }, [due], networkOf);
    assert.ok(rounded.includes('At $0.42/h that is at most $1.81 until 15:20'), rounded.join('\n'));
  });
});
