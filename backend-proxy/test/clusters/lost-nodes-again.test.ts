import assert from 'node:assert/strict';
import { quoteRequestSchema, type Cluster } from '@hitch/contract';
import { again, refusal, stopped } from './again.ts';
import { Practice } from './practice.ts';

/** One of two nodes is lost, and the market has others. */
async function degradedOne(
  practice: Practice,
  whileWhole: (ready: Cluster) => Promise<void> = () => Promise.resolve(),
): Promise<Cluster> {
  const { id } = await practice.rent({ nodes: 2, capMicroUsd: '5000000', idleMs: 0 });
  const ready = await practice.untilPhase(id, 'ready');
  await whileWhole(ready);
  const worker = ready.nodes[1]?.attempts.find(({ state }) => state === 'owned');
  await practice.pass(practice.market.end(worker?.instanceId ?? '', new AbortController().signal));
  const degraded = await practice.untilPhase(id, 'degraded');
  await practice.stockUp();
  return degraded;
}

describe('starting the lost nodes of a cluster again', () => {
  it('replaces lost nodes with a quote for them and no other, whose cap a person was not shown', async () => {
    const practice = await new Practice().open();
    const degraded = await degradedOne(practice);
    const plain = await practice.pass(
      practice.service.quote(quoteRequestSchema.parse({ capMicroUsd: '9000000' })),
    );
    const error = await refusal(practice.pass(practice.service.startAgain(degraded.id, plain.id)));
    assert.equal(error.code, 'CONFLICT');
    assert.match(error.message, /^The quote is not for the lost nodes of /);
    assert.deepEqual(practice.service.get(degraded.id).caps, degraded.caps);
    practice.close();
  });

  it('rents nothing for one cluster with a quote for another, lost nodes and whole clusters alike', async () => {
    const practice = await new Practice().open();
    const [one, other] = [await degradedOne(practice), await degradedOne(practice)];
    const ended = await stopped(practice, { capMicroUsd: '3000000' });
    const quotes = { degraded: await again(practice, other), stopped: await again(practice, ended) };
    for (const [{ id, name }, quote] of [
      [one, quotes.degraded],
      [one, quotes.stopped],
      [ended, quotes.degraded],
    ] as const) {
      const error = await refusal(practice.pass(practice.service.startAgain(id, quote.id)));
      assert.equal(error.code, 'CONFLICT');
      assert.equal(error.message, `The quote is for another cluster, not for ${name}.`);
    }
    const made = await refusal(practice.pass(practice.service.create({ quoteId: quotes.stopped.id })));
    assert.equal(made.message, 'The quote is for a cluster that is there, not for a new one.');
    // Refused, it is still what it was made for.
    await practice.pass(practice.service.startAgain(other.id, quotes.degraded.id));
    await practice.untilPhase(other.id, 'ready');
    practice.close();
  });

  it('refuses limits for one that runs instead of dropping them', async () => {
    const practice = await new Practice().open();
    const degraded = await degradedOne(practice);
    for (const limits of [{ capMicroUsd: '9000000' }, { stopAtMs: null }, { idleMs: 600_000 }]) {
      const error = await refusal(again(practice, degraded, limits));
      assert.equal(error.code, 'BAD_INPUT');
      assert.equal(error.field, Object.keys(limits)[0]);
      assert.match(error.message, / is running: its limits cannot be changed here\.$/);
    }
    practice.close();
  });

  it('makes no whole cluster of a quote for lost nodes, neither a new one nor the same that stopped meanwhile', async () => {
    const practice = await new Practice().open();
    const { id, name } = await degradedOne(practice);
    const quote = await again(practice, practice.service.get(id));
    const made = await refusal(practice.pass(practice.service.create({ quoteId: quote.id })));
    assert.equal(made.code, 'CONFLICT');
    await practice.pass(practice.service.stop(id, { skipSave: true }));
    const stoppedOne = await practice.untilPhase(id, 'stopped');
    const error = await refusal(practice.pass(practice.service.startAgain(id, quote.id)));
    assert.equal(error.code, 'CONFLICT');
    assert.match(error.message, new RegExp(`${name} has stopped since the quote was made\\.$`));
    await practice.stockUp();
    assert.equal((await again(practice, stoppedOne)).nodes, 2, 'the order is kept');
    practice.close();
  });

  it('asks for one machine in the place of a lost node, inside the limits of the cluster', async () => {
    const practice = await new Practice().open();
    const degraded = await degradedOne(practice, async ready => {
      assert.equal((await refusal(again(practice, ready))).code, 'CONFLICT');
    });
    const { id } = degraded;
    const quote = await again(practice, degraded);
    assert.equal(quote.nodes, 1);
    assert.deepEqual(quote.caps, degraded.caps);
    const said = quote.lines.join('\n');
    assert.match(said, /^Runs until .*\$5\.00 is spent in total \(.*\$0\.\d+ so far\)/m);
    assert.match(said, /^At \$0\.\d+\/h for all its machines \$5\.00 lasts until about /m);
    await practice.pass(practice.service.startAgain(id, quote.id));
    const whole = await practice.untilPhase(id, 'ready');
    assert.deepEqual(whole.caps, degraded.caps);
    assert.equal(whole.nodes.length, 2);
    practice.close();
  });
});
