/**
 * Recordings of real networks, as people handed them in: our adapters read them, and our simulators speak as they do. While
 * there is none of a network, what is recorded of its simulator shows that this would be seen.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkedRecordingSchema, parseMicroUsd, type Recording } from '@hitch/contract';
import { VirtualClock } from '@hitch/platform/src/clock.ts';
import { generateOpensshKey } from '@hitch/platform/src/openssh-key.ts';
import { Recordings } from '../../../backend-proxy/src/networks/recordings.ts';
import { Recorder } from '../../../backend-proxy/src/providers/recorder.ts';
import { plainTerms } from '../../../backend-proxy/src/ledger/terms.ts';
import { SIMULATORS } from '../all.ts';
import { Faults } from '../frame/faults.ts';
import { transportTo } from '../frame/transport.ts';
import { adapterOver, otherShapes, playing, shapesOf, unread } from './replay.ts';

const { signal } = new AbortController();
const ADDRESS = '198.51.100.7';

/** What a check of a simulator leaves: the calls that it makes, and nothing of whose account it is. */
async function recordingOf(
  id: string,
): Promise<{ readonly recording: Recording; readonly key: string; readonly mark: string }> {
  const known = SIMULATORS.find(each => each.id === id);
  assert.ok(known !== undefined && known.key !== null);
  const { key } = known;
  const clock = new VirtualClock();
  const machines = {
    start: () =>
      Promise.resolve({ kind: 'rented' as const, host: ADDRESS, port: 40_022, user: 'root', hostKeys: null }),
    letIn: () => Promise.resolve(),
    end: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
  const simulator = known.build({ clock, seed: 1, limits: false, machines });
  const recorder = new Recorder(clock);
  const faults = new Faults([], () => 1);
  const provider = adapterOver(
    id,
    recorder.hearing(id, transportTo(simulator, { clock, faults })),
    clock,
    key,
  );
  const recordings = new Recordings({
    clock,
    providers: new Map([[id, provider]]),
    recorder,
    logins: { maskAll: text => text.replaceAll(key, '•••') },
  });
  recordings.begin(id);
  await provider.account?.(signal);
  const offers = await provider.offers(signal);
  const offer = offers
    .filter(
      each =>
        each.market === 'on_demand' &&
        each.gpuCount > 0 &&
        each.notRentable === undefined &&
        each.together === undefined,
    )
    .sort((one, other) =>
      Number(parseMicroUsd(one.pricePerHourMicroUsd) - parseMicroUsd(other.pricePerHourMicroUsd)),
    )[0];
  assert.ok(offer !== undefined);
  const request = {
    ref: 'hitch-0123456789abcd',
    offer,
    terms: { ...plainTerms(offer), termMs: offer.termMs ?? null },
    maxPricePerHourMicroUsd: 10n ** 9n,
    members: 1,
    letIn: {
      publicKey: generateOpensshKey('a check').publicKey,
      proof: provider.capabilities.bootSecret ? 'ab'.repeat(32) : null,
    },
    endAtMs: null,
  };
  const added = await provider.accountKeys?.add(request.ref, request.letIn.publicKey, signal);
  const bought = await provider.create(request, signal);
  if (bought.status === 'ordered') {
    await provider.advance?.(bought, request, signal);
  }
  clock.jump(600_000);
  await provider.list(signal);
  assert.equal((await provider.get(bought.id, signal)).status, 'running');
  await provider.destroy(bought.id, signal);
  clock.jump(600_000);
  await provider.get(bought.id, signal);
  if (added !== undefined) {
    await provider.accountKeys?.list(signal);
    await provider.accountKeys?.remove(added.id, signal);
  }
  await provider.bill?.(clock.now() - 3_600_000, clock.now(), signal);
  await simulator.close();
  return { recording: recordings.end(id), key, mark: bought.mark ?? request.ref };
}

/** Those that people handed in. */
function handedIn(id: string): readonly Recording[] {
  const folder = join(import.meta.dirname, '..', id, 'recordings');
  return existsSync(folder)
    ? readdirSync(folder)
        .filter(name => name.endsWith('.json'))
        .map(name => checkedRecordingSchema.parse(JSON.parse(readFileSync(join(folder, name), 'utf8'))))
    : [];
}

const replayed = (recording: Recording) =>
  unread(adapterOver(recording.network, playing(recording), new VirtualClock(), 'none'), recording);

for (const id of ['vast', 'ionet', 'runpod', 'akash', 'prime']) {
  describe(`recordings of ${id}`, () => {
    it('are read by its adapter, and its simulator speaks as they do', async () => {
      const { recording: own } = await recordingOf(id);
      for (const recording of handedIn(id)) {
        assert.deepEqual(await replayed(recording), []);
        assert.deepEqual(otherShapes(shapesOf(own.exchanges), shapesOf(recording.exchanges)), []);
      }
      assert.deepEqual(await replayed(own), [], 'what is recorded of a simulator is read like that too');
    });

    it('would show that the network says something else than is known', async () => {
      const { recording } = await recordingOf(id);
      const changed = JSON.parse(
        JSON.stringify(recording).replace(
          /"(actual_status|status|state)":"[^"]*"/g,
          '"$1":{"word":"changed"}',
        ),
      ) as Recording;
      assert.notDeepEqual(otherShapes(shapesOf(recording.exchanges), shapesOf(changed.exchanges)), []);
      const renamed = JSON.parse(JSON.stringify(recording).replaceAll('"id":', '"identity":')) as Recording;
      assert.notDeepEqual(await replayed(renamed), []);
    });

    it('hold no key, no mark, no address and no name of anybody', async () => {
      const { recording, key, mark } = await recordingOf(id);
      const text = JSON.stringify(recording);
      const isHash = /^[0-9a-f]{64}$/.test(mark);
      const told = [
        ...[key, mark, 'hitch-0123456789abcd', ADDRESS, 'ssh-ed25519', 'ab'.repeat(32), '@example.com'],
        // A mark that is a hash is answered in base64, and whose order it is by an address of the chain.
        ...(isHash ? [Buffer.from(mark, 'hex').toString('base64'), 'akash1simulatedowner'] : []),
      ];
      assert.deepEqual(
        told.filter(secret => text.includes(secret)),
        [],
      );
      assert.match(
        text,
        isHash ? /"hash":"(text-\d+)".*"hash":"\1"/ : /hitch-recording1/,
        'what belongs together still does',
      );
    });
  });
}
