/** What stands beside nodes that live: other machines where these are reached, and none where they are not. */
import assert from 'node:assert/strict';
import { offerFilterSchema, quoteRequestSchema, type Offer } from '@hitch/contract';
import { chooseMachine, type MachineParts } from '../../src/clusters/machine-again.ts';
import { VirtualClock } from '@hitch/platform/src/clock.ts';
import { closedMachine, isSpread } from '../../src/clusters/one-machine.ts';
import type { ClusterState } from '../../src/ledger/cluster-state.ts';
import { chooseCandidates } from '../../src/spend/candidates.ts';
import type { OfferSource } from '../../src/spend/fitting-offers.ts';
import { attempt, cluster, node, offer, quote } from '../store/records.ts';

const ofMachine = (name: string, change: Partial<Offer> = {}): Offer => ({
  ...offer,
  id: `ssh:${name}:cpu`,
  provider: 'ssh',
  practice: false,
  gpuModel: null,
  gpuCount: 0,
  vramMiB: 0,
  supplier: name,
  trust: 'own',
  ...change,
});
const [ONE, TWO] = [ofMachine('box-one'), ofMachine('box-two')];

/** A head that lives on box-one, and a lost worker. */
function withHead(privateAddress: string | null): ClusterState {
  const record = cluster({ practice: false });
  const head = node(record, { phase: 'ready' });
  const lost = node(record, { index: 1, phase: 'gone' });
  const lives = attempt(head, {
    state: 'owned',
    provider: 'ssh',
    offer: ONE,
    members: [
      {
        nodeId: head.id,
        address: {
          at: 'box-one',
          hostKey: null,
          ssh: { kind: 'own', name: 'box-one', lease: 'leases/a' },
          proof: null,
          privateAddress,
        },
      },
    ],
  });
  const nodes = [{ ...head, attemptId: lives.id }, lost];
  return { cluster: record, nodes, attempts: [lives], segments: [] };
}

const source = (offers: readonly Offer[]): OfferSource => ({
  get: id => offers.find(one => one.id === id) ?? null,
  query: () => ({
    offers: [...offers],
    total: offers.length,
    matched: offers.length,
    hint: null,
    sources: [],
  }),
  countBehindLogin: () => new Map(),
});

const parts = (...offers: readonly Offer[]): MachineParts => ({
  clock: new VirtualClock(),
  offers: source(offers),
  vacancyOf: () => null,
  networkOf: () => ({ id: 'ssh', title: 'Your machines', kind: 'own', verifiedLive: true }),
  quote: undefined,
});
const wish = { order: quoteRequestSchema.parse({ nodes: 2 }), nodes: 1, tried: [] };

describe('a machine in the place of a lost one', () => {
  it('is the very machine whose loopback the others are on, though another is cheaper', () => {
    const state = withHead(null);
    assert.equal(closedMachine(state), 'box-one');
    const cheaper = { ...TWO, pricePerHourMicroUsd: '1' };
    const { offerIds, supplier } = chooseMachine(parts(cheaper, ONE), state, wish);
    assert.deepEqual(offerIds, [ONE.id]);
    const request = quoteRequestSchema.parse({ nodes: 1, offerIds, filter: offerFilterSchema.parse({}) });
    const spare = ofMachine('box-one', { id: 'ssh:box-one:other' });
    const { offers } = chooseCandidates(parts(cheaper, ONE, spare), request, { passedOver: [], supplier });
    assert.deepEqual(
      offers.map(({ id }) => id),
      [ONE.id, spare.id],
    );
  });

  it('is refused where that machine has no room, with the reason', () => {
    assert.throws(
      () => chooseMachine(parts(TWO), withHead(null), wish),
      /Nothing like .* It has to be on box-one: no other machine reaches its nodes there\./,
    );
  });

  it('is any that reaches them where they have addresses of their own', () => {
    const state = withHead('10.0.0.1');
    assert.equal(closedMachine(state), null);
    const { offerIds, supplier } = chooseMachine(parts({ ...TWO, pricePerHourMicroUsd: '1' }), state, wish);
    assert.deepEqual([offerIds, supplier], [[TWO.id], null]);
  });

  it('is reached at an address of its own where the others are, whatever its own quote says', () => {
    const alone = quote();
    const several = { ...alone, order: quoteRequestSchema.parse({ nodes: 2 }), offers: [ONE, TWO] };
    assert.equal(isSpread(withHead('10.0.0.1'), alone), true);
    assert.equal(isSpread(withHead(null), several), false);
    const first = { ...withHead(null), attempts: [] };
    assert.equal(isSpread(first, several), true);
    assert.equal(isSpread(first, alone), false);
    assert.equal(isSpread(undefined, several), true);
  });
});
