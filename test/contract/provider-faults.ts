/** The part of the provider suite in which the network misbehaves. */
import assert from 'node:assert/strict';
import { worseThanOffered } from '../../backend-proxy/src/clusters/got.ts';
import { checkAnswer } from '../../backend-proxy/src/clusters/purchase.ts';
import { priceOf } from '../../backend-proxy/src/providers/provider.ts';
import {
  type Build,
  type NetworkFault,
  aRequest,
  failureOf,
  instancesOf,
  isFailure,
  listedLater,
  markFor,
  nextRef,
  offersToRent,
  refuses,
  rents,
  signal,
  unknownId,
  untilGone,
  wayIn,
} from './provider-rig.ts';

export function describeFaults(
  build: Build,
  withFault: (fault: NetworkFault, title: string, test: () => Promise<void>) => void,
): void {
  withFault('sold_out', 'says capacity for an offer that is gone, and rents nothing', async () => {
    const { provider } = await build('sold_out');
    await refuses(provider, 'capacity');
  });

  withFault(
    'reply_lost_before_create',
    'says unknown outcome when no answer comes; nothing turns up',
    async () => {
      const subject = await build('reply_lost_before_create');
      const { provider } = subject;
      const request = await aRequest(provider);
      await assert.rejects(provider.create(request, signal), isFailure('unknownOutcome'));
      assert.deepEqual(await listedLater(subject, markFor(provider, request)), []);
    },
  );

  withFault(
    'reply_lost_after_create',
    'says unknown outcome when the answer is lost, and lists it in time',
    async () => {
      const subject = await build('reply_lost_after_create');
      const { provider } = subject;
      const request = await aRequest(provider);
      await assert.rejects(provider.create(request, signal), isFailure('unknownOutcome'));
      const [found, ...more] = await listedLater(subject, markFor(provider, request));
      assert.ok(found !== undefined);
      assert.deepEqual(more, []);
      await provider.destroy(found.id, signal);
      await untilGone(subject, found.id);
    },
  );

  withFault(
    'duplicate_reply',
    'takes no machine of another purchase for what was bought, and lists that in time; neither ends the other',
    async () => {
      const subject = await build('duplicate_reply');
      const { provider } = subject;
      const [one, two] = [await aRequest(provider), await aRequest(provider)];
      const first = await provider.create(one, signal);
      // As `order` of clusters/purchase.ts reads it, which knows whose machines are whose.
      const answered = async () => {
        const instance = await provider.create(two, signal);
        checkAnswer(provider, { mark: markFor(provider, two), isHeld: instance.id === first.id }, instance);
      };
      const error = await failureOf(answered());
      assert.equal(error.kind, 'unknownOutcome');
      assert.equal(error.instanceId, null, 'it names nothing that could be given back for it');
      const [found, ...more] = await listedLater(subject, markFor(provider, two));
      assert.ok(found !== undefined && found.id !== first.id);
      assert.deepEqual(more, [], 'it was bought once');
      await provider.destroy(found.id, signal);
      await untilGone(subject, found.id);
      assert.deepEqual(
        (await instancesOf(provider, markFor(provider, one))).map(({ id }) => id),
        [first.id],
      );
    },
  );

  withFault('error_with_id', 'hands on the id of what exists although the call failed', async () => {
    const { provider } = await build('error_with_id');
    const request = await aRequest(provider);
    const error = await failureOf(provider.create(request, signal));
    assert.equal(error.kind, 'unknownOutcome');
    assert.deepEqual(
      (await instancesOf(provider, markFor(provider, request))).map(({ id }) => id),
      [error.instanceId],
    );
  });

  withFault('dearer', 'says the price the network really takes', async () => {
    const { provider } = await build('dearer');
    const request = await aRequest(provider);
    const { id } = await provider.create(request, signal);
    const price = priceOf(await provider.get(id, signal)) ?? 0n;
    assert.ok(price > request.maxPricePerHourMicroUsd);
  });

  withFault('other_machine', 'says what it really rented', async () => {
    const { provider } = await build('other_machine');
    const offers = await offersToRent(provider);
    const better = offers.filter(({ gpuCount, trust }) => gpuCount > 0 && trust !== 'community');
    const wanted = better.find(({ gpuCount }) => gpuCount > 1) ?? better[0];
    const request = await aRequest(provider, wanted);
    const { id } = await provider.create(request, signal);
    const { got } = await provider.get(id, signal);
    assert.notEqual(worseThanOffered(request.offer, got), null, JSON.stringify(got));
  });

  withFault(
    'limited_route',
    'says how often a kind of call is answered, and how long to wait with it alone where it was called sooner',
    async () => {
      const subject = await build('limited_route');
      const { provider } = subject;
      const limit = provider.capabilities.limits?.['create']?.everyMs ?? 0;
      assert.ok(limit > 0);
      const request = await aRequest(provider);
      await provider.create(request, signal);
      const soon = await aRequest(provider);
      const refused = await failureOf(provider.create(soon, signal));
      assert.equal(refused.kind, 'retryable');
      // Who did not keep to it may have to wait longer than it.
      assert.ok(refused.retryAfterMs !== null && refused.retryAfterMs > 0, String(refused.retryAfterMs));
      assert.deepEqual(
        await instancesOf(provider, markFor(provider, soon)),
        [],
        'it is asked everything else, and rented nothing',
      );
      await subject.pass(refused.retryAfterMs);
      await provider.create(soon, signal);
    },
  );

  withFault('rate_limited', 'says retryable when it is too busy, with the wait it is told', async () => {
    const { provider } = await build('rate_limited');
    const error = await failureOf(provider.offers(signal));
    assert.equal(error.kind, 'retryable');
    assert.ok((error.retryAfterMs ?? 0) > 0);
  });

  withFault(
    'outage',
    'fails every call while the network is down, and claims no machine is gone',
    async () => {
      const subject = await build('outage');
      const { provider } = subject;
      await assert.rejects(provider.offers(signal), isFailure('retryable', 'unknownOutcome'));
      await assert.rejects(provider.list(signal), isFailure('retryable', 'unknownOutcome'));
      await assert.rejects(
        provider.get(unknownId(subject), signal),
        isFailure('retryable', 'unknownOutcome'),
      );
      await assert.rejects(
        provider.destroy(unknownId(subject), signal),
        isFailure('retryable', 'unknownOutcome'),
      );
    },
  );

  for (const fault of ['list_fails', 'list_partial'] as const) {
    withFault(
      fault,
      `answers an error, never a part, when the network's list ${fault.slice(5)}`,
      async () => {
        const { provider } = await build(fault);
        await provider.create(await aRequest(provider), signal);
        const request = await aRequest(provider);
        await provider.create(request, signal);
        const failed = isFailure('retryable', 'unknownOutcome');
        if (provider.listNear === undefined) {
          await assert.rejects(provider.list(signal), failed);
          return;
        }
        await assert.rejects(provider.listNear(request.offer, signal), failed);
        // Of the places that answer, if any does.
        const said = await provider.list(signal).then(
          () => provider.listLeftOut?.() ?? null,
          (error: unknown) => String(error),
        );
        assert.notEqual(said, null);
      },
    );
  }

  withFault('destroy_fails', 'says so when it could not end a machine, which still stands', async () => {
    const { provider } = await build('destroy_fails');
    const { id } = await provider.create(await aRequest(provider), signal);
    await assert.rejects(provider.destroy(id, signal), isFailure('retryable', 'unknownOutcome'));
    assert.notEqual((await provider.get(id, signal)).status, 'gone');
  });

  withFault('destroy_reply_lost', 'says unknown outcome when the answer to an end is lost', async () => {
    const subject = await build('destroy_reply_lost');
    const { provider } = subject;
    const { id } = await provider.create(await aRequest(provider), signal);
    await assert.rejects(provider.destroy(id, signal), isFailure('unknownOutcome'));
    await untilGone(subject, id);
  });

  withFault('destroy_slow', 'does not call gone what still bills', async () => {
    const subject = await build('destroy_slow');
    const { provider } = subject;
    const request = await aRequest(provider);
    const { id } = await provider.create(request, signal);
    await provider.destroy(id, signal);
    assert.notEqual((await provider.get(id, signal)).status, 'gone');
    assert.equal((await instancesOf(provider, markFor(provider, request))).length, 1);
    await untilGone(subject, id);
  });

  withFault('unknown_status', 'calls a status it does not know unknown', async () => {
    const subject = await build('unknown_status');
    const { provider } = subject;
    const { id } = await rents(provider, await aRequest(provider));
    await subject.pass(600_000);
    assert.equal((await provider.get(id, signal)).status, 'unknown');
  });

  withFault('slow_boot', 'says retryable while there is no way in yet', async () => {
    const subject = await build('slow_boot');
    const { provider } = subject;
    const instance = await rents(provider, await aRequest(provider));
    assert.equal(instance.status, 'booting');
    if (provider.host === undefined) {
      const { status, members } = await provider.get(instance.id, signal);
      assert.equal(status, 'booting');
      assert.ok(
        members.every(({ ssh }) => ssh === null),
        'it names no place that does not answer',
      );
    } else {
      await assert.rejects(wayIn(subject, instance), isFailure('retryable'));
    }
  });

  withFault(
    'sold_by_terms',
    'ends what was sold by terms with its term, and sells more of it, each time',
    async () => {
      const subject = await build('sold_by_terms');
      const { provider } = subject;
      const request = await aRequest(provider);
      const { termMs } = request.offer;
      assert.ok(termMs !== undefined && provider.buyTime !== undefined);
      const [kept, left] = [
        await provider.create(request, signal),
        await provider.create({ ...request, ref: nextRef() }, signal),
      ];
      const endsAtMs = kept.endsAtMs ?? 0;
      assert.ok(endsAtMs > 0, 'it says when it ends');
      const more = await provider.buyTime(kept.id, termMs, signal);
      assert.deepEqual([more.id, more.endsAtMs], [kept.id, endsAtMs + termMs]);
      assert.ok(more.mark === null || more.mark === request.ref);
      const comesBack = request.offer.refundable === 'exact_after_floor';
      assert.equal(
        more.floorMicroUsd,
        (kept.floorMicroUsd ?? 0n) * (comesBack ? 1n : 2n),
        'it is paid at once',
      );
      assert.equal((await provider.buyTime(kept.id, termMs, signal)).endsAtMs, endsAtMs + 2 * termMs);
      assert.equal((await provider.get(kept.id, signal)).endsAtMs, endsAtMs + 2 * termMs);
      await subject.pass(termMs + 60_000);
      assert.equal((await provider.get(left.id, signal)).status, 'gone');
      assert.notEqual((await provider.get(kept.id, signal)).status, 'gone');
      await assert.rejects(provider.buyTime(left.id, termMs, signal), isFailure('permanent', 'capacity'));
      await assert.rejects(provider.buyTime(kept.id, termMs / 2, signal), isFailure('permanent'));
      await subject.pass(2 * termMs);
      await untilGone(subject, kept.id);
    },
  );

  withFault('sold_by_terms', 'rents nothing for another time than it is sold for', async () => {
    const { provider } = await build('sold_by_terms');
    const request = await aRequest(provider);
    for (const termMs of [null, 1]) {
      await assert.rejects(
        provider.create({ ...request, terms: { ...request.terms, termMs } }, signal),
        isFailure('permanent'),
      );
    }
    assert.deepEqual(await instancesOf(provider, markFor(provider, request)), []);
  });

  for (const [fault, times] of [
    ['reply_lost_after_more_time', 1],
    ['reply_lost_before_more_time', 0],
  ] as const) {
    withFault(
      fault,
      `says unknown outcome of more time, and by the end whether it was sold: ${fault}`,
      async () => {
        const { provider } = await build('sold_by_terms', fault);
        const request = await aRequest(provider);
        const { id, endsAtMs = 0 } = await provider.create(request, signal);
        const termMs = request.offer.termMs ?? 0;
        assert.ok(provider.buyTime !== undefined);
        await assert.rejects(provider.buyTime(id, termMs, signal), isFailure('unknownOutcome'));
        assert.equal((await provider.get(id, signal)).endsAtMs, endsAtMs + times * termMs);
      },
    );
  }

  withFault('slow_reply', 'lets go of a call that is aborted while the answer is awaited', async () => {
    const { provider } = await build('slow_reply');
    const giveUp = new AbortController();
    const asked = provider.offers(giveUp.signal);
    giveUp.abort(new Error('given up'));
    await assert.rejects(asked, isFailure('unknownOutcome', 'retryable'));
  });
}
