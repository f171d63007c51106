/** What is io.net's alone among networks, and what its adapter makes of it. */
import assert from 'node:assert/strict';
import { costOver, type Offer } from '@hitch/contract';
import { IonetProvider } from '../../backend-proxy/src/providers/ionet/ionet-provider.ts';
import { priceOf } from '../../backend-proxy/src/providers/provider.ts';
import type { FaultRule } from '../simulators/frame/faults.ts';
import { transportTo } from '../simulators/frame/transport.ts';
import { CONTAINER_HARDWARE } from '../simulators/ionet/container-hardware.ts';
import { HARDWARE } from '../simulators/ionet/hardware.ts';
import type { IonetOptions } from '../simulators/ionet/ionet-simulator.ts';
import { answering, byHand, DEPLOY, ionet, type IonetSubject, LIST } from './ionet-rig.ts';
import { aRequest, failureOf, instancesOf, isFailure, signal } from './provider-rig.ts';

const HOUR_MS = 3_600_000;

describe('io.net', () => {
  const subjects: IonetSubject[] = [];
  const open = (options: Partial<IonetOptions> = {}, rules: readonly FaultRule[] = []) => {
    const subject = ionet(options, rules);
    subjects.push(subject);
    return subject;
  };
  afterEach(async () => {
    for (const subject of subjects.splice(0)) {
      await subject.dispose();
    }
  });
  const ids = (found: readonly { readonly id: string }[]) => found.map(({ id }) => id);
  const only = <T>(found: readonly T[]): T => {
    assert.equal(found.length, 1);
    return found[0] as T;
  };

  describe('an order', () => {
    it('is found by its name where the answer to it is empty', async () => {
      const { provider, simulator } = open({ lies: { emptyDeploy: true } });
      const request = await aRequest(provider);
      const bought = await provider.create(request, signal);
      assert.equal(bought.mark, request.ref);
      assert.deepEqual(ids(simulator.rentals()), [bought.id]);
      assert.equal(bought.paidMicroUsd?.toString(), request.offer.pricePerHourMicroUsd);
    });

    it('may have been taken where neither its answer nor the list says so yet, and is listed later', async () => {
      const subject = open({ lies: { emptyDeploy: true, listedAfterMs: 30_000 } });
      const { provider, simulator } = subject;
      const request = await aRequest(provider);
      const error = await failureOf(provider.create(request, signal));
      assert.equal(error.kind, 'unknownOutcome');
      assert.match(error.message, /does not show yet what came of it\.$/);
      await subject.pass(30_000);
      assert.deepEqual(ids(await instancesOf(provider, request.ref)), ids(simulator.rentals()));
    });

    for (const status of [429, 500, 401]) {
      it(`is never taken for refused where what came of it cannot be read: ${status.toString()}`, async () => {
        const rule = { route: LIST, fault: answering(status, { detail: 'no' }) };
        const { provider } = open({ lies: { emptyDeploy: true } }, [rule]);
        await assert.rejects(provider.create(await aRequest(provider), signal), isFailure('unknownOutcome'));
      });
    }

    it('stands with its id where its page is not found right after, which says gone without an end of its bill', async () => {
      const subject = open({ lies: { hiddenMs: 10_000 } });
      const { provider } = subject;
      const request = await aRequest(provider);
      const bought = await provider.create(request, signal);
      assert.deepEqual([bought.status, bought.mark, bought.rates], ['booting', request.ref, []]);
      const early = await provider.get(bought.id, signal);
      assert.deepEqual([early.status, early.billedUntilMs], ['gone', undefined]);
      await subject.pass(10_000);
      assert.equal((await provider.get(bought.id, signal)).status, 'booting');
      assert.ok(provider.capabilities.visibilityDelayMs > 10_000);
    });

    it('is not made where the machine costs more than its row said: a GPU’s price, or a fee on top', async () => {
      for (const lies of [{ listsPerGpu: true }, { feePercent: 15 }]) {
        const { provider, simulator } = open({ lies });
        const offers = await provider.offers(signal);
        const eight = offers.find(({ gpuCount }) => gpuCount === 8);
        const error = await failureOf(provider.create(await aRequest(provider, eight), signal));
        assert.equal(error.kind, 'capacity');
        assert.match(error.message, /^io\.net asks \$\d+\.\d+\/h for it now, more than the \$\d+\.\d+\/h/);
        assert.deepEqual(simulator.rentals(), []);
      }
    });

    it('says what its fee makes of the price', async () => {
      const { provider, simulator } = open({ lies: { feePercent: 5 } });
      const request = await aRequest(provider);
      const { id } = await provider.create(request, signal);
      const { rates, paidMicroUsd } = await provider.get(id, signal);
      assert.equal(priceOf({ rates }), only(simulator.rentals()).perHourMicroUsd);
      assert.equal(paidMicroUsd, (BigInt(request.offer.pricePerHourMicroUsd) * 105n) / 100n);
    });

    it('is for as many whole hours as are asked for, and for no others', async () => {
      const { provider, simulator } = open();
      const request = await aRequest(provider);
      const terms = (termMs: number) => ({ ...request, terms: { ...request.terms, termMs } });
      const { id, paidMicroUsd, floorMicroUsd, endsAtMs } = await provider.create(terms(3 * HOUR_MS), signal);
      const price = BigInt(request.offer.pricePerHourMicroUsd);
      assert.deepEqual([paidMicroUsd, floorMicroUsd], [3n * price, price]);
      assert.equal(endsAtMs, only(simulator.rentals()).boughtAtMs + 3 * HOUR_MS);
      assert.equal(priceOf(await provider.get(id, signal)), price);
      for (const ms of [HOUR_MS / 2, 1.5 * HOUR_MS, 8761 * HOUR_MS]) {
        await assert.rejects(provider.create(terms(ms), signal), isFailure('permanent'));
      }
      assert.equal(simulator.rentals().length, 1);
    });

    it('costs what was said before, fees and all, for as many hours as are asked for', async () => {
      const { provider, simulator } = open({ lies: { feePercent: 5 } });
      const { offer, terms: plain } = await aRequest(provider);
      const terms = { ...plain, termMs: 3 * HOUR_MS };
      const listed = BigInt(offer.pricePerHourMicroUsd);
      const said = await provider.price(offer, terms, signal);
      const perHour = said.perHour.reduce((sum, { perHourMicroUsd }) => sum + perHourMicroUsd, 0n);
      assert.ok(perHour > listed);
      assert.deepEqual(
        [said.floorMicroUsd, said.dueNowMicroUsd, said.basis],
        [perHour, 3n * perHour, 'firm'],
      );
      assert.deepEqual(simulator.rentals(), []);
      const request = { ...(await aRequest(provider, offer)), terms, maxPricePerHourMicroUsd: perHour };
      const { paidMicroUsd, floorMicroUsd, rates } = await provider.create(request, signal);
      assert.deepEqual([paidMicroUsd, floorMicroUsd, priceOf({ rates })], [3n * perHour, perHour, perHour]);
    });

    it('has no price where none is left, or for what is no whole hour', async () => {
      const { provider, simulator } = open({ lies: { soldOut: true } });
      const { offer, terms } = await aRequest(provider);
      await assert.rejects(provider.price(offer, terms, signal), isFailure('capacity'));
      await assert.rejects(provider.price(offer, { ...terms, termMs: null }, signal), isFailure('permanent'));
      assert.deepEqual(simulator.rentals(), []);
    });

    for (const [words, kind, lacks] of [
      ['Insufficient credits. Please top up your account.', 'auth', 'funds'],
      ['No available VMs for the selected hardware and location', 'capacity', 'login'],
      ['The name is longer than 64 characters', 'permanent', 'login'],
    ] as const) {
      it(`that is refused with “${words}” is ${kind}`, async () => {
        const rule = { route: DEPLOY, fault: answering(400, { status: 'failed', error: words }) };
        const { provider } = open({}, [rule]);
        const error = await failureOf(provider.create(await aRequest(provider), signal));
        assert.deepEqual([error.kind, error.lacks], [kind, lacks]);
        assert.ok(error.message.includes(words.replace(/\.$/, '')), error.message);
      });
    }

    it('says field by field what the network does not accept', async () => {
      const issues = [{ loc: ['body', 'gpus_per_vm'], msg: 'Input should be at most 8', type: 'less_than' }];
      const rule = { route: DEPLOY, fault: answering(422, { detail: issues }) };
      const { provider } = open({}, [rule]);
      const { kind, message } = await failureOf(provider.create(await aRequest(provider), signal));
      assert.equal(kind, 'permanent');
      assert.equal(message, 'io.net says: body.gpus_per_vm: Input should be at most 8.');
    });
  });

  describe('its list', () => {
    for (const firstPage of [0, 1] as const) {
      it(`is complete over its pages, counted from ${firstPage.toString()}`, async () => {
        const subject = open({ lies: { firstPage } });
        const { provider, simulator } = subject;
        for (let number = 0; number < 205; number++) {
          await byHand(simulator, `hitch-${number.toString()}`);
          await subject.pass(13 * 60_000);
        }
        const { faults } = subject;
        for (const again of [1, 2]) {
          let pages = 0;
          const listed = await provider.list(signal, async () => {
            pages += 1;
          });
          const standing = simulator.rentals().filter(({ endedAtMs }) => endedAtMs === null);
          assert.deepEqual(ids(listed).sort(), ids(standing).sort());
          // Once it is known where it begins to count, no page is asked for twice.
          // No row has a price, so that each that stands is asked for by itself, once.
          const priced = again === 1 ? standing.length : 0;
          // The list of containers is one more.
          assert.equal(pages - priced, firstPage === 1 && again === 1 ? 4 : 3);
        }
        assert.equal((await provider.history('hitch-0', signal)).length, 1);
        faults.add({ route: LIST, nth: 2, fault: answering(500, 'Internal Server Error') });
        const { offer } = await aRequest(provider);
        await assert.rejects(provider.listNear(offer, signal), isFailure('retryable'));
        faults.add({ route: LIST, nth: 2, fault: answering(500, 'Internal Server Error') });
        assert.deepEqual(await provider.list(signal), [], 'no part of one product');
        assert.match(provider.listLeftOut() ?? '', /^Virtual machines of io\.net cannot be listed/);
      });
    }

    it('shows what was rented by hand, with its price, which is asked for once', async () => {
      const { provider, simulator, faults } = open();
      const id = await byHand(simulator);
      const [row] = HARDWARE.filter(({ deployId }) => deployId === '1RTX4090.16V');
      for (const look of [1, 2]) {
        const listed = only(await provider.list(signal));
        assert.deepEqual(
          [listed.id, listed.mark, priceOf(listed)],
          [id, 'my notebook', row?.perHourMicroUsd],
        );
        if (look === 1) {
          faults.add({ route: /deployment\//, fault: answering(500, 'Internal Server Error') });
        }
      }
    });
  });

  describe('a machine', () => {
    const WAYS: readonly (readonly [
      string,
      (host: string, port: number, user: string) => string,
      boolean,
    ])[] = [
      ['ssh and a port', (host, port, user) => `ssh ${user}@${host} -p ${port.toString()}`, true],
      ['an address', (host, port, user) => `ssh://${user}@${host}:${port.toString()}`, true],
      ['words that are none', () => 'see your dashboard', false],
      ['nothing', () => '', false],
    ];
    WAYS.forEach(([title, sshAccess, isWay]) => {
      it(`that runs and says where ssh leads by ${title} ${isWay ? 'is usable' : 'still boots, and says why'}`, async () => {
        const subject = open({ lies: { sshAccess } });
        const { provider } = subject;
        const { id } = await provider.create(await aRequest(provider), signal);
        await subject.pass(600_000);
        const { status, members, message } = await provider.get(id, signal);
        assert.deepEqual(
          [status, members.map(({ ssh }) => ssh !== null)],
          [isWay ? 'running' : 'booting', [isWay]],
        );
        assert.match(message, isWay ? /running\.$/ : /where ssh leads|does not understand/);
      });
    });

    it('is read in capitals and small letters, and its times without a zone are UTC', async () => {
      const subject = open({ lies: { shouts: true } });
      const { provider, simulator, clock } = subject;
      const { id, status, rates } = await provider.create(await aRequest(provider), signal);
      assert.equal(status, 'booting');
      assert.equal(rates[0]?.fromMs, only(simulator.rentals()).boughtAtMs);
      await subject.pass(600_000);
      assert.equal((await provider.get(id, signal)).status, 'running');
      await provider.destroy(id, signal);
      assert.equal((await provider.get(id, signal)).status, 'stopped');
      await subject.pass(600_000);
      const now = await provider.get(id, signal);
      assert.equal(now.status, 'gone');
      assert.equal(now.billedUntilMs, only(simulator.rentals()).endedAtMs);
      assert.ok((now.billedUntilMs ?? 0) < clock.now());
    });

    it('costs an hour at least and then what it was used: what it says agrees with the bill', async () => {
      for (const [minutes, hours] of [
        [30, 1],
        [72, 3],
      ] as const) {
        const subject = open({ endMs: 0 });
        const { provider, simulator } = subject;
        const plain = await aRequest(provider);
        const request = { ...plain, terms: { ...plain.terms, termMs: hours * HOUR_MS } };
        const { id, rates, floorMicroUsd = 0n } = await provider.create(request, signal);
        await subject.pass(minutes * 60_000);
        await provider.destroy(id, signal);
        const { billedUntilMs = 0 } = await provider.get(id, signal);
        const used = costOver(priceOf({ rates }) ?? 0n, billedUntilMs - (rates[0]?.fromMs ?? 0));
        const cost = used > floorMicroUsd ? used : floorMicroUsd;
        assert.equal(cost, only(simulator.bill()).amountMicroUsd);
      }
    });

    it('ends with what was paid, and its bill with it', async () => {
      const subject = open();
      const { provider, simulator } = subject;
      const { id, endsAtMs } = await provider.create(await aRequest(provider), signal);
      await subject.pass(50 * 60_000);
      assert.equal((await provider.get(id, signal)).endsAtMs, endsAtMs);
      await subject.pass(10 * 60_000);
      const now = await provider.get(id, signal);
      assert.deepEqual([now.status, now.billedUntilMs], ['gone', endsAtMs]);
      assert.equal(only(simulator.rentals()).endedAtMs, endsAtMs);
      assert.deepEqual(await provider.list(signal), []);
    });
  });

  describe('its key', () => {
    it('is tried by a call that changes nothing, which says neither whose it is nor what is left', async () => {
      const { provider, simulator } = open();
      assert.deepEqual(await provider.account(signal), {
        id: null,
        name: '',
        scopes: null,
        balanceMicroUsd: null,
        spendLimitPerHourMicroUsd: null,
      });
      const error = await failureOf(provider.account(signal, { apiKey: 'wrong' }));
      assert.deepEqual([error.kind, error.lacks], ['auth', 'login']);
      assert.equal(error.message, 'io.net says: Invalid API key.');
      assert.deepEqual(simulator.rentals(), []);
    });

    it('may be allowed to read one of the two products alone, which keeps nothing of that from anybody', async () => {
      for (const [closed, missing] of [
        ['caas', 'Containers'],
        ['vmaas', 'Virtual machines'],
      ] as const) {
        const denied = answering(403, { detail: 'Your key is for another product' });
        const subject = open({ containerHardware: CONTAINER_HARDWARE }, [
          { route: new RegExp(`/enterprise/v1/io-cloud/${closed}/deploy`), fault: denied },
        ]);
        const { provider } = subject;
        const machines = closed === 'caas';
        assert.deepEqual((await provider.account(signal)).scopes, machines ? null : ['rent containers']);
        assert.ok((await provider.time(signal)) > 0);
        const offers = await provider.offers(signal);
        const [own, other] = ['vm', 'container'].map(kind => {
          const offer = offers.find(each => each.kind === kind);
          assert.ok(offer !== undefined, kind);
          return offer;
        });
        const [readable, unreadable] = machines ? [own, other] : [other, own];
        assert.ok(readable !== undefined && unreadable !== undefined);
        const id = machines ? await byHand(subject.simulator) : '';
        assert.deepEqual(
          (await provider.list(signal)).map(each => each.id),
          machines ? [id] : [],
        );
        assert.equal(
          provider.listLeftOut(),
          `${missing} of io.net cannot be listed: io.net says: Your key is for another product.`,
        );
        assert.deepEqual(await provider.history('hitch-none', signal, undefined, readable), []);
        assert.equal((await provider.listNear(readable, signal)).length, machines ? 1 : 0);
        await assert.rejects(provider.listNear(unreadable, signal), /another product/);
        await assert.rejects(provider.history('hitch-none', signal, undefined, unreadable));
      }
    });

    it('opens 300 requests a minute, and no more pass the limits that its adapter says', async () => {
      const { provider, clock } = open();
      const { limits = {}, routes = {} } = provider.capabilities;
      const { perMinute = 0 } = limits['key'] ?? {};
      assert.equal(routes['get'], 'key');
      const { id } = await provider.create(await aRequest(provider), signal);
      clock.jump(600_000);
      for (let call = 0; call < perMinute; call++) {
        assert.equal((await provider.get(id, signal)).status, 'running');
      }
      let error: unknown = null;
      for (let call = 0; call < 300 && error === null; call++) {
        error = await provider.get(id, signal).then(
          () => null,
          (refusal: unknown) => refusal,
        );
      }
      assert.ok(isFailure('retryable')(error));
      assert.equal((await failureOf(provider.list(signal))).retryAfterMs, 60_000);
    });

    it('is asked for before anything is bought', async () => {
      const { simulator, clock, faults } = open();
      const provider = new IonetProvider({
        base: 'https://api.io.solutions',
        transport: transportTo(simulator, { clock, faults }),
        login: () => Promise.resolve(null),
        clock,
      });
      const error = await failureOf(provider.create(await aRequest(provider), signal));
      assert.deepEqual([error.kind, error.lacks], ['auth', 'login']);
    });
  });

  describe('its offers', () => {
    it('are the rows that are a GPU for a price now, sold by the hour; a price that is missing is said', async () => {
      const { provider } = open({ containerHardware: CONTAINER_HARDWARE });
      const all = await provider.offers(signal);
      const offers = all.filter(({ kind }) => kind === 'vm');
      assert.equal(all.length - offers.length, 4, 'containers beside them');

      const shown = ({ id, gpuModel, gpuCount, country }: Offer) => [id, gpuModel, gpuCount, country];
      assert.deepEqual(offers.map(shown), [
        ['ionet:8H100.80S.176V@FI', 'H100', 8, 'FI'],
        ['ionet:1H100.80S.22V@FI', 'H100', 1, 'FI'],
        ['ionet:1H100.80S.22V@US', 'H100', 1, 'US'],
        ['ionet:2L40S.32V@NO', 'L40S', 2, 'NO'],
        ['ionet:1RTX4090.16V@US', 'RTX 4090', 1, 'US'],
      ]);
      assert.ok(offers.every(({ termMs, basis }) => termMs === HOUR_MS && basis === 'estimate'));
      assert.equal(
        provider.offersLeftOut(),
        'Offers of io.net are left out: 1 without a price. Containers of io.net are left out: 1 without a price.',
      );
    });

    it('of one product stand alone: where the other’s list fails, what was known of that stays, and is said', async () => {
      const fails = { route: /\/caas\/hardware$/, nth: 2, fault: answering(500, 'Internal Server Error') };
      const { provider } = open({ containerHardware: CONTAINER_HARDWARE }, [fails]);
      const before = await provider.offers(signal);
      assert.ok(!before.some(offer => provider.offerStays(offer)));
      const now = await provider.offers(signal);
      assert.ok(now.length > 0 && now.every(({ kind }) => kind === 'vm'));
      assert.deepEqual(
        [...now, ...before.filter(offer => provider.offerStays(offer))].map(({ id }) => id),
        before.map(({ id }) => id),
      );
      assert.match(
        provider.offersLeftOut() ?? '',
        /Containers of io\.net are not up to date: io\.net says: Internal Server Error/,
      );
      await provider.offers(signal);
      assert.ok(!before.some(offer => provider.offerStays(offer)));
    });

    it('are asked for without a key', async () => {
      const { provider, simulator } = open();
      const asked: unknown[] = [];
      const real = simulator.handle.bind(simulator);
      simulator.handle = request => {
        asked.push(request.headers['x-api-key']);
        return real(request);
      };
      await provider.offers(signal);
      assert.deepEqual(asked, [undefined, undefined]);
    });
  });
});
