/** A login that may not rent: it is of no use to ask with it for another offer of that network. */
import assert from 'node:assert/strict';
import { type Provider, ProviderError } from '../../src/providers/provider.ts';
import { wrap } from './faulty.ts';
import { Practice } from './practice.ts';

const failing = (error: ProviderError) =>
  new Practice({
    wrapProvider: (provider: Provider) => wrap(provider, { create: () => Promise.reject(error) }),
  }).open();

describe('a purchase that is refused', () => {
  it('for its login is not tried with the other offers, and is said once', async () => {
    const practice = await failing(new ProviderError('auth', 'This key may only read.'));
    const { id } = await practice.rent({ idleMs: 0 });
    await practice.untilPhase(id, 'failed');
    const { nodes, message } = practice.service.get(id);
    assert.equal(nodes[0]?.attempts.length, 1);
    assert.equal(nodes[0]?.message, 'This key may only read.');
    assert.ok(message.includes('This key may only read.'), message);
    practice.close();
  });

  it('for its offer is tried with the next ones', async () => {
    const practice = await failing(new ProviderError('capacity', 'It is sold out.'));
    const { id } = await practice.rent({ idleMs: 0 });
    await practice.untilPhase(id, 'failed');
    assert.ok((practice.service.get(id).nodes[0]?.attempts.length ?? 0) > 1);
    practice.close();
  });
});
