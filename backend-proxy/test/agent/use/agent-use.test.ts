import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { type UsePage, usePageSchema } from '@hitch/contract/src/use/wire.ts';
import { RunningAgent } from '../running-agent.ts';

describe('An agent that measures its node', function () {
  this.timeout(60_000);
  const agent = new RunningAgent();
  after(() => agent.dispose());

  async function untilMeasured(afterMs: number): Promise<UsePage> {
    for (;;) {
      const { json } = await agent.call('GET', `/use?scale=fine&afterMs=${afterMs.toString()}`);
      const page = usePageSchema.parse(json);
      if (page.timesMs.length > 0) {
        return page;
      }
      await delay(100);
    }
  }

  it('goes on after it was killed, with what it had measured', async () => {
    await agent.start();
    const before = await untilMeasured(0);
    const memory = before.series.find(({ of, kind }) => of === 'machine' && kind === 'memory');
    assert.ok((memory?.values[0] ?? 0) > 0);
    await agent.kill();
    await agent.start();
    await untilMeasured(before.timesMs.at(-1) ?? 0);
    const all = usePageSchema.parse((await agent.call('GET', '/use')).json);
    assert.deepEqual(all.timesMs.slice(0, before.timesMs.length), before.timesMs);
    assert.ok(all.timesMs.length > before.timesMs.length);
  });
});
