import assert from 'node:assert/strict';
import { silentLog } from '@hitch/platform/src/log.ts';
import type { Warning } from '../../src/agent/watchdog/webhook.ts';
import { tellWebhook } from '../../src/clusters/tell-webhook.ts';
import { Practice } from './practice.ts';

describe('the user’s webhook', () => {
  it('is told once that a cluster can be used, and once that it is over', async () => {
    const practice = await new Practice().open();
    const told: Warning[] = [];
    tellWebhook(
      { ledger: practice.ledger, clock: practice.clock, log: silentLog, webhookUrl: 'http://127.0.0.1:1/' },
      (_clock, _log, _url, warning) => {
        told.push(warning);
        return Promise.resolve(true);
      },
    );
    const { id, name } = await practice.rent();
    await practice.untilPhase(id, 'ready');
    await practice.run(60_000);
    const words = () => told.map(({ cluster, sentence }) => [cluster, sentence]);
    assert.deepEqual(words(), [[name, `${name} is ready.`]]);
    await practice.pass(practice.service.stop(id, { skipSave: true }));
    await practice.untilPhase(id, 'stopped');
    const [, over, ...more] = words();
    assert.equal(over?.[0], name);
    assert.match(over?.[1] ?? '', new RegExp(`^${name} is stopped[.:]`));
    assert.deepEqual(more, []);
    practice.close();
  });

  it('is told nothing where there is none', async () => {
    const practice = await new Practice().open();
    tellWebhook({ ledger: practice.ledger, clock: practice.clock, log: silentLog, webhookUrl: null }, () =>
      assert.fail('nobody asked for it'),
    );
    const { id } = await practice.rent();
    assert.equal((await practice.untilPhase(id, 'ready')).phase, 'ready');
    practice.close();
  });
});
