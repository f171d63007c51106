/** The settings of the networks, and the sentences for those that make no sense. */
import assert from 'node:assert/strict';
import { HitchError } from '@hitch/contract';
import { systemClock } from '@hitch/platform/src/clock.ts';
import { homeAt } from '@hitch/platform/src/paths.ts';
import { NETWORKS } from '../../src/providers/folders.ts';
import { buildProviders, providerSettingsFrom } from '../../src/providers/registry.ts';

const build = (environment: NodeJS.ProcessEnv) =>
  buildProviders(providerSettingsFrom(environment), { home: homeAt('/nowhere'), clock: systemClock });

describe('provider settings', () => {
  it('turn this computer, the practice market and the user’s own machines on beside real networks where nothing is said', () => {
    const { all, ownMachines } = build({});
    const here = [...all.values()].filter(({ kind }) => kind !== 'network');
    assert.deepEqual(
      here.map(({ id }) => id),
      ['local', 'sandbox', 'ssh'],
    );
    assert.notEqual(ownMachines, null);
  });

  it('of this very run leave real networks alone, so that no daemon of a test reaches the internet', () => {
    const kinds = [...build(process.env).all.values()].map(({ kind }) => kind);
    assert.ok(kinds.length > 0 && !kinds.includes('network'), kinds.join(', '));
  });

  it('leave out what is not named', () => {
    const { all, ownMachines } = build({ HITCH_PROVIDERS: 'local' });
    assert.deepEqual([...all.keys()], ['local']);
    assert.equal(ownMachines, null);
  });

  it('read the price of this computer and the market without processes', () => {
    const settings = providerSettingsFrom({
      HITCH_LOCAL_DOLLARS_PER_HOUR: '0.25',
      HITCH_SANDBOX_RUNTIME: 'null',
      HITCH_SANDBOX_BOOT_MS: '30000',
      HITCH_SANDBOX_STOCK: '1000',
      HITCH_SANDBOX_FAULTS: '{"seed":3,"rules":[{"fault":"slow_boot","delayMs":5}]}',
    });
    const { local, sandbox, ssh } = settings.networks;
    assert.deepEqual(
      { local, sandbox, ssh },
      {
        local: { dollarsPerHour: '0.25' },
        sandbox: {
          runtime: 'null',
          bootDelayMs: '30000',
          stock: '1000',
          faults: { seed: 3, rules: [{ fault: 'slow_boot', chance: 1, delayMs: 5 }] },
        },
        ssh: {},
      },
    );
    build({ HITCH_SANDBOX_RUNTIME: 'null', HITCH_SANDBOX_STOCK: '1000' });
    build({ HITCH_LOCAL_DOLLARS_PER_HOUR: '0.25' });
  });

  for (const [name, value] of [
    ['HITCH_PROVIDERS', 'local,elsewhere'],
    ['HITCH_VAST_URL', 'http://elsewhere.example'],
    ['HITCH_RUNPOD_URL', 'http://elsewhere.example'],
    ['HITCH_SANDBOX_RUNTIME', 'virtual'],
    ['HITCH_SANDBOX_SEED', 'one'],
    ['HITCH_SANDBOX_BOOT_MS', '-1'],
    ['HITCH_SANDBOX_FAULTS', '{"rules":'],
    ['HITCH_SANDBOX_ACCOUNT', '{"keys":[{"key":'],
    ['HITCH_SANDBOX_ACCOUNT', '{"keys":[{"key":"a-secret-key","scopes":["all"]}]}'],
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
          assert.doesNotMatch(error.message, /a-secret-key/);
          return true;
        },
      );
    });
  }

  it('refuse a price of this computer that is none', () => {
    assert.throws(() => build({ HITCH_LOCAL_DOLLARS_PER_HOUR: 'cheap' }), HitchError);
  });

  it('are set by variables that no two networks share', () => {
    const variables = NETWORKS.flatMap(({ environment }) => Object.keys(environment));
    assert.equal(new Set(variables).size, variables.length);
    assert.ok(variables.every(name => name.startsWith('HITCH_')));
  });
});
