/** What holds of a network that can only be looked at: its offers as the contract wants them, and a sentence where one would rent. */
import assert from 'node:assert/strict';
import { type Clock, VirtualClock } from '@hitch/platform/src/clock.ts';
import { homeAt } from '@hitch/platform/src/paths.ts';
import { seededRandom } from '@hitch/platform/src/random.ts';
import type { NetworkTools, RegisteredNetwork } from '../../backend-proxy/src/providers/network.ts';
import type { LoginValues, Provider } from '../../backend-proxy/src/providers/provider.ts';
import { CAPTIVE_PORTAL, type Fault, Faults } from '../simulators/frame/faults.ts';
import type { Simulator } from '../simulators/frame/simulator.ts';
import { transportTo } from '../simulators/frame/transport.ts';
import { aRequest, type Build, failureOf, isFailure, signal } from './provider-rig.ts';
import { describeOffers } from './provider-suite.ts';

export interface CatalogueKind<Sim extends Simulator> {
  readonly name: string;
  readonly network: RegisteredNetwork;
  readonly simulator: (clock: Clock) => Sim;
  /** Where an account is looked at. */
  readonly login?: LoginValues;
  /** Tests of its own. */
  readonly own: (open: () => { readonly provider: Provider; readonly simulator: Sim }) => void;
}

export function describeCatalogue<Sim extends Simulator>(kind: CatalogueKind<Sim>): void {
  const open = (fault: Fault | null = null) => {
    const clock = new VirtualClock();
    const simulator = kind.simulator(clock);
    const faults = new Faults(fault === null ? [] : [{ route: /./, fault }], () => seededRandom(1).next());
    const transport = transportTo(simulator, { clock, faults });
    const provider = (): Provider =>
      kind.network.build({}, toolsWith({ clock, transport, login: kind.login ?? null })).provider;
    return { provider: provider(), restarted: provider, simulator, clock };
  };
  const build: Build = () => {
    const { provider, restarted, clock } = open();
    return Promise.resolve({
      provider,
      restarted,
      pass: async (ms: number) => clock.jump(ms),
      dispose: () => Promise.resolve(),
    });
  };
  describe(`catalogue: ${kind.name}`, () => {
    describeOffers(build);

    it('shows its offers to who has no login, and says of each why it cannot be rented', async () => {
      const { provider } = open();
      assert.notEqual(provider.login?.needed.offers, true);
      assert.equal(provider.verifiedLive, false);
      assert.match(provider.notRentable ?? '', /\w.*\.$/);
      for (const offer of await provider.offers(signal)) {
        assert.equal(offer.notRentable, provider.notRentable);
      }
    });

    it('refuses to rent with that sentence, and knows of nothing that was rented', async () => {
      const { provider } = open();
      const [offer] = await provider.offers(signal);
      const error = await failureOf(provider.create(await aRequest(provider, offer), signal));
      assert.equal(error.kind, 'permanent');
      assert.equal(error.message, provider.notRentable);
      assert.deepEqual(await provider.list(signal), []);
      assert.equal((await provider.get('any', signal)).status, 'gone');
      await provider.destroy('any', signal);
    });

    for (const [what, fault] of [
      ['a web page in the place of its answer', { does: 'answer', answer: CAPTIVE_PORTAL }],
      ['an answer that is cut in its middle', { does: 'cut' }],
      ['a connection that breaks', { does: 'lose-reply' }],
      ['nobody who connects', { does: 'refuse' }],
      ['a request to wait', { does: 'answer', answer: { status: 429, body: 'Too many requests' } }],
      ['another shape of its answer', { does: 'answer', answer: { status: 200, body: { moved: true } } }],
    ] as const) {
      it(`answers ${what} with a sentence, and may be asked again`, async () => {
        const { provider } = open(fault);
        await assert.rejects(provider.offers(signal), isFailure('retryable'));
      });
    }

    it('says how often it may be asked', () => {
      assert.notEqual(open().provider.capabilities.limits?.['offers'], undefined);
    });

    kind.own(() => open());
  });
}

/** What an adapter over HTTP is built with; the rest is not asked for. */
export function toolsWith({
  clock,
  transport,
  login,
}: Pick<NetworkTools, 'clock' | 'transport'> & { readonly login: LoginValues | null }): NetworkTools {
  const unused = (name: string) => () => assert.fail(`${name} is not for a network that is asked over HTTP`);
  return {
    home: homeAt('/nowhere'),
    clock,
    transport,
    python: null,
    login: () => Promise.resolve(login),
    get machines() {
      return unused('machines')();
    },
    get shells() {
      return unused('shells')();
    },
  };
}
