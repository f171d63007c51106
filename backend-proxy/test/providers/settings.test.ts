/** The settings of the networks, and the sentences for those that make no sense. */
import assert from 'node:assert/strict';
import { HitchError } from '@hitch/contract';
import { systemClock } from '@hitch/platform/src/clock.ts';
import { homeAt } from '@hitch/platform/src/paths.ts';
import { buildProviders, providerSettingsFrom } from '../../src/providers/registry.ts';

const build = (environment: NodeJS.ProcessEnv) =>
  buildProviders(providerSettingsFrom(environment), { home: homeAt('/nowhere'), clock: systemClock });

describe('provider settings', () => {
  it('turn this computer, the practice market and the user’s own machines on where nothing is said', () => {
    const { all, market, realNetworkOn } = build({});
    assert.deepEqual([...all.keys()], ['local', 'sandbox', 'ssh']);
    assert.notEqual(market, null);
    assert.equal(realNetworkOn, false);
  });

  it('leave out what is not named', () => {
    const { all, market } = build({ HITCH_PROVIDERS: 'local' });
    assert.deepEqual([...all.keys()], ['local']);
    assert.equal(market, null);
  });

  it('read the price of this computer and the market without processes', () => {
    const settings = providerSettingsFrom({
      HITCH_LOCAL_DOLLARS_PER_HOUR: '0.25',
      HITCH_SANDBOX_RUNTIME: 'null',
      HITCH_SANDBOX_BOOT_MS: '30000',
      HITCH_SANDBOX_STOCK: '1000',
      HITCH_SANDBOX_FAULTS: '{"seed":3,"rules":[{"fault":"slow_boot","delayMs":5}]}',
    });
    assert.equal(settings.local.dollarsPerHour, '0.25');
    assert.equal(settings.sandbox.runtime, 'null');
    assert.equal(settings.sandbox.bootDelayMs, 30_000);
    assert.equal(settings.sandbox.stock, 1000);
    assert.deepEqual(settings.sandbox.faults, {
      seed: 3,
      rules: [{ fault: 'slow_boot', chance: 1, delayMs: 5 }],
    });
    build({ HITCH_LOCAL_DOLLARS_PER_HOUR: '0.25' });
  });

  for (const [name, value] of [
    ['HITCH_PROVIDERS', 'local,elsewhere'],
    ['HITCH_SANDBOX_RUNTIME', 'virtual'],
    ['HITCH_SANDBOX_SEED', 'one'],
    ['HITCH_SANDBOX_BOOT_MS', '-1'],
    ['HITCH_SANDBOX_FAULTS', '{"rules":'],
    ['HITCH_SANDBOX_FAULTS', '{"rules":[{"fault":"meteor"}]}'],
    ['HITCH_SANDBOX_FAULTS', '{"rules":[{"fault":"slow_boot"}]}'],
    ['HITCH_SANDBOX_FAULTS', '{"rules":[{"fault":"dearer","percent":5,"chance":2}]}'],
    ['HITCH_SANDBOX_FAULTS', '{"rules":[{"fault":"outage","durationMs":5,"often":true}]}'],
  ] as const) {
    it(`refuse ${name}=${value} with a sentence that names it`, () => {
      assert.throws(
        () => providerSettingsFrom({ [name]: value }),
        (error: unknown) => {
          assert.ok(error instanceof HitchError);
          assert.equal(error.code, 'BAD_INPUT');
          assert.ok(error.message.includes(name), error.message);
          assert.match(error.message, /\.$/);
          assert.notEqual(error.next, undefined);
          return true;
        },
      );
    });
  }

  it('refuse a price of this computer that is none', () => {
    assert.throws(() => build({ HITCH_LOCAL_DOLLARS_PER_HOUR: 'cheap' }), HitchError);
  });
});
