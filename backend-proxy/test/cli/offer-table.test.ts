/** The offer table of the command line, as text. */
import assert from 'node:assert/strict';
import type { Offer, OfferPage, ProviderInfo } from '@hitch/contract';
import { columnsNamed, offerColumns, offerFooter, practiceBanner } from '../../src/cli/screen/offer-table.ts';
import { tableLines } from '../../src/cli/screen/table.ts';
import { offer } from '../store/records.ts';

const NOW = offer.fetchedAtMs;
const WHY = 'Hitch cannot rent from Elsewhere yet: there is no SSH.';
const shown: Offer = {
  ...offer,
  id: 'elsewhere:1',
  provider: 'elsewhere',
  practice: false,
  notRentable: WHY,
  cpuCores: 0,
  ramMiB: 0,
  diskGiB: 0,
};
const network = { id: 'elsewhere', title: 'Elsewhere', kind: 'network', verifiedLive: false } as ProviderInfo;
const page = (...offers: readonly Offer[]): OfferPage => ({
  offers: [...offers],
  matched: offers.length,
  total: offers.length,
  sources: [],
  hint: null,
});

describe('the offer table of the command line', () => {
  it('marks what can only be looked at, and says why once below the rows', () => {
    const [, first = '', second = ''] = tableLines([shown, offer], offerColumns([network]), null);
    assert.match(first, /Elsewhere\* NO .* –\/–\/–/);
    assert.doesNotMatch(second, /\*/);
    const footer = offerFooter(page(shown, shown, offer), [network], NOW);
    assert.equal(footer.filter(line => line === `* ${WHY}`).length, 1);
  });

  it('has what only some networks say where all columns are asked for, and nobody else has to see it', () => {
    const told: Offer = {
      ...offer,
      hostId: 'host-7',
      driver: '550.54',
      nvlink: true,
      arch: 'x86_64',
      traffic: { downPerGBMicroUsd: '3000', upPerGBMicroUsd: '20000' },
      takes: { disk: { minGiB: 8, maxGiB: 500, perGiBHourMicroUsd: '210' } },
      termMs: 3_600_000,
      wayIn: 'ssh',
      basis: 'estimate',
      history: {
        of: 'machine',
        purchases: 5,
        cameUp: 3,
        notUp: 1,
        failedChecks: 1,
        died: 1,
        usualReadyMs: 60_000,
        lastFailure: null,
      },
    };
    const [header = '', row = ''] = tableLines([told], offerColumns([network], true), null);
    assert.match(
      header,
      /Host +Your history +Region +Driver +NVLink +Arch +Disk \$\/GB-month +↓\/↑ \$\/GB +At least +Sold for +Way in$/,
    );
    assert.match(
      row,
      /estimate.* host-7 +3 of 4 came up, 1 lost .* 550\.54 +yes +x86_64 +\$0\.16 +\$0\.003\/\$0\.02 +– +1 h +ssh$/,
    );
    assert.match(row, / 8\/32\/100-500 .* whole hours, paid ahead, estimate, multi-node /);
    assert.deepEqual(
      tableLines([told], offerColumns([network]), 100).filter(line => line.length > 100),
      [],
    );
    assert.doesNotMatch(tableLines([told], offerColumns([network]), null).join(), /550\.54/);
  });

  it('shows what is rented as one as a cluster of so many, and when it is paid', () => {
    const cells = (change: Partial<Offer>) =>
      columnsNamed(['gpu', 'terms', 'at-least'], []).map(({ cell }) => cell({ ...offer, ...change }));
    assert.deepEqual(
      cells({ together: { min: 2, max: 250, replaceOne: false }, stock: 8, multiNode: true }),
      ['cluster of 2–8: 1× RTX 4090, 24 GB', '–', '–'],
    );
    assert.equal(
      cells({ together: { max: 4, replaceOne: true }, stock: 9 })[0],
      'cluster of up to 4: 1× RTX 4090, 24 GB',
    );
    assert.deepEqual(
      cells({
        termMs: 3_600_000,
        floorMicroUsd: '900000',
        dueNowMicroUsd: '900000',
        refundable: 'exact_after_floor',
        multiNode: false,
      }).slice(1),
      ['whole hours, paid ahead, the rest comes back, at least $0.90', '$0.90'],
    );
    assert.match(cells({ termMs: 86_400_000 })[1] ?? '', /^24 h at a time, paid ahead/);
    assert.match(cells({ refundable: 'deposit', dueNowMicroUsd: '5000000' })[1] ?? '', /^deposit \$5\.00/);
  });

  it('says which options hide something by themselves', () => {
    const hides = [
      { field: 'minReliability' as const, count: 1320 },
      { field: 'orNotStated' as const, count: 57 },
    ];
    assert.ok(
      offerFooter({ ...page(shown), hides }, [network], NOW).includes(
        'Hidden by one option alone: 1,320 by --reliability, 57 by what is not stated (--or-not-stated shows it).',
      ),
    );
  });

  it('says that practice stands aside beside a login, and how it is shown', () => {
    const hides = [{ field: 'practice' as const, count: 1402 }];
    const lines = offerFooter({ ...page(shown), hides }, [network], NOW);
    assert.ok(
      lines.includes(
        'Left out while you are logged in at a network: 1,402 for practice (--practice shows them).',
      ),
    );
    assert.ok(!lines.some(line => line.startsWith('Hidden by one option')));
  });

  it('names the networks of these offers that no live run has confirmed', () => {
    const said = /^Not yet verified live.*: Elsewhere\.$/;
    assert.ok(offerFooter(page(shown), [network], NOW).some(line => said.test(line)));
    const proven = { ...network, verifiedLive: true };
    assert.ok(!offerFooter(page(shown), [proven], NOW).some(line => said.test(line)));
    assert.ok(!offerFooter(page(offer), [network], NOW).some(line => said.test(line)));
  });

  it('says how many of what fits stand here', () => {
    const [first = ''] = offerFooter({ ...page(shown), matched: 1207, total: 1300 }, [network], NOW);
    assert.match(first, /^1,207 of 1,300, 1 of them here \(--limit and --offset show more\); /);
    assert.match(offerFooter(page(shown), [network], NOW)[0] ?? '', /^1 of 1; /);
  });

  it('says above practice offers that nobody is charged for them, and of which it is true', () => {
    assert.equal(practiceBanner([shown]), null);
    assert.match(practiceBanner([offer]) ?? '', /nobody is charged; the machines/);
    assert.match(practiceBanner([offer, shown]) ?? '', /nobody is charged for its offers;/);
  });
});
