/**
 * What each network may answer in the place of what was asked for. Of all of them alike: a sentence of the network's, with
 * nothing of the answer's markup and nothing of the key; no guess about money; and what was rented is ended once it goes again.
 */
import assert from 'node:assert/strict';
import { type Instance, type Provider, ProviderError } from '../../backend-proxy/src/providers/provider.ts';
import { CAPTIVE_PORTAL, type Fault } from '../simulators/frame/faults.ts';
import type { KnownSimulator } from '../simulators/all.ts';
import { aRequest, failureOf, signal } from './provider-rig.ts';
import { SIMULATED, simulatedRig, type SimulatedRig } from './simulated-rig.ts';

const WRONG_KEY = 'wrong-key-0123456789abcdef0123456789';
const DAY_MS = 24 * 3_600_000;

/** What stands in the place of any answer. */
const ANSWERS: readonly (readonly [string, Fault])[] = [
  ['the web page of a network that wants a login', { does: 'answer', answer: CAPTIVE_PORTAL }],
  ['an answer that is cut in its middle', { does: 'cut' }],
  ['a connection that breaks before the answer', { does: 'lose-reply' }],
  ['another shape of its answer', { does: 'answer', answer: { status: 200, body: { moved: true } } }],
  [
    'a page of an error in between',
    {
      does: 'answer',
      answer: { status: 502, headers: { 'content-type': 'text/html' }, body: '<html><h1>502</h1></html>' },
    },
  ],
];

function saysWell(error: ProviderError, { title, key }: KnownSimulator): void {
  const { message } = error;
  // io.net writes itself so.
  assert.match(message, /^(?:[A-Z“]|io\.net)[^]*\.$/, `a sentence: ${message}`);
  assert.ok(message.includes(title), `it names ${title}: ${message}`);
  assert.doesNotMatch(message, /<\/?\w+/, 'no markup');
  for (const secret of [key ?? WRONG_KEY, WRONG_KEY]) {
    assert.ok(!message.includes(secret), 'nothing of the key');
  }
  assert.ok(message.length < 600, message);
}

/** One machine of it, rented; null where nothing of it can be. */
async function rented(provider: Provider): Promise<Instance | null> {
  return provider.notRentable === undefined ? provider.create(await aRequest(provider), signal) : null;
}

/** Destroyed, and said to be: also where that takes a moment. */
async function ended(rig: SimulatedRig, provider: Provider, id: string): Promise<void> {
  for (let tries = 0; (await provider.get(id, signal)).status !== 'gone'; tries++) {
    assert.ok(tries < 20, 'it is never gone');
    await provider.destroy(id, signal);
    rig.clock.jump(60_000);
  }
}

for (const known of SIMULATED) {
  describe(`${known.title}, where it is not answered as it should be`, () => {
    const rigs: SimulatedRig[] = [];
    const rig = (aheadMs?: number): SimulatedRig => {
      const made = simulatedRig(known, aheadMs);
      rigs.push(made);
      return made;
    };
    afterEach(async () => {
      for (const made of rigs.splice(0)) {
        await made[Symbol.asyncDispose]();
      }
    });

    it('says of a wrong key that it is not accepted', async () => {
      const provider = rig().adapter({ apiKey: WRONG_KEY });
      const error = await failureOf(provider.list(signal));
      assert.equal(error.kind, 'auth', error.message);
      saysWell(error, known);
      const account = provider.account?.(signal);
      if (account !== undefined) {
        saysWell(await failureOf(account), known);
      }
    });

    it('takes nothing for gone because its key is not accepted any more, and ends it with the next one', async function () {
      const made = rig();
      const provider = made.adapter();
      const instance = await rented(provider);
      if (instance === null) {
        this.skip();
      }
      const revoked = made.adapter({ apiKey: WRONG_KEY });
      for (const call of [
        () => revoked.get(instance.id, signal),
        () => revoked.list(signal),
        () => revoked.destroy(instance.id, signal),
      ]) {
        const error = await failureOf(call());
        assert.equal(error.kind, 'auth', error.message);
        saysWell(error, known);
      }
      assert.notEqual((await provider.get(instance.id, signal)).status, 'gone');
      await ended(made, provider, instance.id);
    });

    for (const [what, fault] of ANSWERS) {
      it(`takes ${what} for no answer: a purchase stays unclear, and what was rented is ended afterwards`, async function () {
        const made = rig();
        const provider = made.adapter();
        const offers = await failureOf((made.faults.add({ route: /./, fault }), provider.offers(signal)));
        assert.equal(offers.kind, 'retryable', offers.message);
        saysWell(offers, known);
        made.faults.clear();
        const instance = await rented(provider);
        if (instance === null) {
          this.skip();
        }
        const request = await aRequest(provider);
        made.faults.add({ route: /./, fault });
        const bought = await failureOf(provider.create(request, signal));
        // Where a price is asked for first, that is what failed, and certainly nothing was bought.
        assert.ok(['retryable', 'unknownOutcome'].includes(bought.kind), bought.message);
        saysWell(bought, known);
        // That it is to end may be taken as heard, for whether it is gone is asked for apart: that is never taken from such an answer.
        await provider.destroy(instance.id, signal).catch((error: unknown) => {
          assert.ok(error instanceof ProviderError);
          saysWell(error, known);
        });
        for (const call of [() => provider.get(instance.id, signal), () => provider.list(signal)]) {
          const error = await failureOf(call());
          assert.ok(['retryable', 'unknownOutcome'].includes(error.kind), `${error.kind}: ${error.message}`);
          saysWell(error, known);
        }
        made.faults.clear();
        if (bought.kind === 'retryable') {
          assert.equal((await provider.list(signal)).length, 1, 'nothing was bought');
        }
        await ended(made, provider, instance.id);
      });
    }

    for (const [what, aheadMs] of [
      ['a day ahead of', DAY_MS],
      ['a day behind', -DAY_MS],
    ] as const) {
      it(`rents and ends where its clock is ${what} this computer's`, async function () {
        const made = rig(aheadMs);
        const provider = made.adapter();
        const instance = await rented(provider);
        if (instance === null) {
          this.skip();
        }
        made.clock.jump(60_000);
        const { status, rates } = await provider.get(instance.id, signal);
        assert.notEqual(status, 'gone');
        assert.ok(rates.every(({ fromMs }) => fromMs === null || Number.isFinite(fromMs)));
        assert.ok((await provider.list(signal)).some(({ id }) => id === instance.id));
        await ended(made, provider, instance.id);
      });
    }
  });
}
