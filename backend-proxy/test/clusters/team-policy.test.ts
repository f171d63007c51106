/** A team's policy holds for every price that is asked for, with a template or without; each refusal names file and rule. */
import assert from 'node:assert/strict';
import {
  HitchError,
  parseMicroUsd,
  type Quote,
  type QuoteRequest,
  quoteRequestSchema,
} from '@hitch/contract';
import type { TeamPolicy } from '../../src/templates/team-policy.ts';
import { endsClean } from './faulty.ts';
import { Practice } from './practice.ts';
import { stopped } from './again.ts';

const HOUR = 3_600_000;
const NONE: TeamPolicy['limits'] = {
  perHourMicroUsd: null,
  totalMicroUsd: null,
  timeMs: null,
  networks: null,
  practice: 'allowed',
};

describe('a team’s policy', () => {
  let limits: TeamPolicy['limits'];
  let practice: Practice;
  beforeEach(async () => {
    limits = NONE;
    practice = await new Practice({
      policies: {
        read: () =>
          Promise.resolve([
            {
              file: '/team/policy.yaml',
              sources: null,
              signers: null,
              revoked: null,
              scripts: 'allowed',
              limits,
            },
          ]),
      },
    }).open();
  });
  const quote = (request: Partial<QuoteRequest> = {}): Promise<Quote> =>
    practice.pass(practice.service.quote(quoteRequestSchema.parse(request)));
  const refused = (promise: Promise<unknown>, rule: string, pattern: RegExp): Promise<void> =>
    assert.rejects(promise, (error: unknown) => {
      assert.ok(error instanceof HitchError, String(error));
      assert.match(error.message, pattern);
      assert.ok(error.message.endsWith(`(/team/policy.yaml: ${rule})`), error.message);
      return true;
    });

  it('refuses more money or time than it allows, and fills in what was left open', async () => {
    limits = { ...NONE, totalMicroUsd: 1_500_000n, timeMs: 2 * HOUR };
    await refused(
      quote({ capMicroUsd: '2000000' }),
      'limits.total',
      /at most \$1\.50 in total; \$2\.00 was asked/,
    );
    const late = practice.clock.now() + 3 * HOUR;
    await refused(quote({ stopAtMs: late }), 'limits.time', /for 2 h at most; 3 h was asked for/);
    const { caps } = await quote();
    assert.equal(caps.totalMicroUsd, '1500000');
    assert.ok(caps.stopAtMs !== null && caps.stopAtMs <= practice.clock.now() + 2 * HOUR);
    assert.equal((await quote({ capMicroUsd: '900000' })).caps.totalMicroUsd, '900000');
  });

  it('lets nothing be rented that costs more an hour, nor tried after the first choice', async () => {
    const free = await quote();
    const first = parseMicroUsd(free.ratePerHourMicroUsd);
    assert.ok(parseMicroUsd(free.highestRatePerHourMicroUsd) > first, 'others would cost more');
    limits = { ...NONE, perHourMicroUsd: first };
    const held = await quote();
    assert.equal(parseMicroUsd(held.highestRatePerHourMicroUsd), first);
    limits = { ...NONE, perHourMicroUsd: first - 1n };
    await refused(quote(), 'limits.perHour', /Nothing fits what your team pays for an hour/);
    await refused(
      quote({ maxNodePricePerHourMicroUsd: free.highestRatePerHourMicroUsd }),
      'limits.perHour',
      /an hour; .* was asked for/,
    );
    const [offer] = free.candidates;
    await refused(quote({ offerIds: [offer?.offerId ?? ''] }), 'limits.perHour', /an hour/);
  });

  it('keeps to its networks and to what it says of practice', async () => {
    limits = { ...NONE, networks: ['vast'] };
    await refused(
      quote({ filter: { providers: ['runpod'] } }),
      'limits.networks',
      /does not rent at runpod; it rents at vast/,
    );
    limits = { ...NONE, practice: 'never' };
    await refused(quote({ filter: { practice: 'only' } }), 'limits.practice', /rents no practice machines/);
    limits = { ...NONE, practice: 'only' };
    await refused(quote({ filter: { practice: 'exclude' } }), 'limits.practice', /practice machines alone/);
    assert.equal((await quote()).practice, true);
  });

  it('holds for limits that are raised later, and lets them be lowered', async () => {
    const { id } = await practice.rent({
      capMicroUsd: '3000000',
      idleMs: 0,
      stopAtMs: practice.clock.now() + HOUR,
    });
    const ready = await practice.untilPhase(id, 'ready');
    limits = { ...NONE, totalMicroUsd: 2_000_000n, timeMs: HOUR };
    const { service } = practice;
    await refused(service.extend(id, { capMicroUsd: '4000000' }), 'limits.total', /\$4\.00 was asked for/);
    await refused(service.extend(id, { stopAtMs: null }), 'limits.time', /no end was asked for/);
    const lower = await practice.pass(service.extend(id, { capMicroUsd: '2500000' }));
    assert.equal(lower.caps.totalMicroUsd, '2500000');
    await endsClean(practice, ready);
  });

  it('holds for a cluster that is started again', async () => {
    const { id } = await stopped(practice, { capMicroUsd: '3000000', idleMs: 0 });
    limits = { ...NONE, totalMicroUsd: 2_000_000n };
    const again = (options = {}): Promise<Quote> =>
      practice.pass(practice.service.quoteAgain(id, { skipTried: false, ...options }));
    await refused(again(), 'limits.total', /\$3\.00 was asked for/);
    assert.equal((await again({ capMicroUsd: '2000000' })).caps.totalMicroUsd, '2000000');
  });
});
