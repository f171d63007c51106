/** Where others are tried when the offer is gone, as the form asks for it. */
import assert from 'node:assert/strict';
import type { OfferFilter } from '@hitch/contract';
import { asWritten } from '../src/base/translate.ts';
import { firstChoices, quoteRequest, type RentChoices } from '../src/rent/rent-choices.ts';

const NOW = 1_800_000_000_000;

function asked(filter: OfferFilter, change: Partial<RentChoices> = {}): boolean | null {
  const choices = { ...firstChoices({ filter }, 1), ...change };
  const context = { offers: [], filter, takenNames: [], templates: [], nowMs: NOW, t: asWritten };
  return quoteRequest(choices, context).otherNetworks;
}

describe('the box for other networks', () => {
  it('is ticked where no network was named, and not where one was', () => {
    assert.equal(firstChoices({ filter: {} }, 1).otherNetworks, true);
    assert.equal(firstChoices({ filter: { providers: ['vast'] } }, 1).otherNetworks, false);
    assert.equal(firstChoices({ filter: {}, otherNetworks: false }, 1).otherNetworks, false);
  });

  it('asks for what it shows, and for nothing where it was left as it was', () => {
    assert.equal(asked({}), null);
    assert.equal(asked({}, { otherNetworks: false }), false);
    assert.equal(asked({ providers: ['vast'] }), null);
    assert.equal(asked({ providers: ['vast'] }, { otherNetworks: true }), true);
    assert.equal(asked({}, { otherNetworks: false, nodes: '2', engine: 'ray' }), null);
  });
});
