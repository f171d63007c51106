import assert from 'node:assert/strict';
import type { Cluster } from '@hitch/contract';
import * as z from 'zod';
import { FakeAgent } from '../api/fake-agent.ts';
import { ids } from '../store/records.ts';
import { CliHarness, FakeInterrupts, until } from './harness.ts';
import { node, up } from './made-clusters.ts';

describe('hitch top', () => {
  let harness: CliHarness;
  let agent: FakeAgent;
  let cluster: Cluster;
  beforeEach(async () => {
    harness = await CliHarness.start();
    agent = new FakeAgent();
    const id = ids.next('clu');
    cluster = harness.clusters.add({ id, conditions: up, nodes: [node({ id }, 0), node({ id }, 1)] });
    harness.clusters.links.set(cluster.id, agent.link);
  });
  afterEach(async () => {
    await agent.close();
    await harness.close();
  });

  it('shows once what there is, and what does not answer, where the output is no terminal', async () => {
    const { stdout, code } = await harness.run(['top', 'llm-dev']);
    assert.equal(code, 0);
    assert.match(stdout, /^llm-dev {2}Ready/);
    assert.match(stdout, /0 head .*\n {2}CPU \?\n {2}memory 500 MB of 1\.0 GB {2}disk \?\n/);
    assert.match(stdout, /1 worker .*\n {2}.* does not answer/);
    assert.doesNotMatch(stdout, /\u001b\[J/);
  });

  it('answers a program with the latest of everything', async () => {
    const { json } = await harness.run(['top', 'llm-dev', '--json']);
    const said = z
      .object({
        nodes: z.array(
          z.object({ index: z.number(), atMs: z.number().nullable(), figures: z.array(z.unknown()) }),
        ),
      })
      .parse(json());
    assert.deepEqual(said.nodes[0]?.figures, [
      { of: 'machine', id: '', name: '', kind: 'memory', most: 1_000, value: 500 },
    ]);
    assert.equal(said.nodes[1]?.atMs, null);
  });

  it('draws the same place again on a terminal, until Ctrl-C', async () => {
    const interrupts = new FakeInterrupts();
    const { stdout, code } = await harness.run(['top', 'llm-dev'], {
      tty: true,
      interrupts,
      typing: async (_, shown) => {
        await until('a third picture', () => shown().split('\u001b[J').length > 3);
        interrupts.press();
      },
    });
    assert.equal(code, 0);
    const [, first = '', second = ''] = stdout.split('\u001b[J');
    assert.equal(
      second.split('\u001b[A').length,
      1 + first.split('\n').length - 1,
      'each line is written over',
    );
  });

  it('says how to see more where no machine is up', async () => {
    harness.clusters.clusters.set(cluster.id, { ...cluster, nodes: [] });
    const { stderr, code } = await harness.run(['top', 'llm-dev']);
    assert.notEqual(code, 0);
    assert.match(stderr, /No machine of llm-dev is up\.\nhitch show llm-dev/);
  });
});
