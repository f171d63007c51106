import assert from 'node:assert/strict';
import type { Cluster } from '@hitch/contract';
import { FakeAgent } from '../api/fake-agent.ts';
import { ids } from '../store/records.ts';
import { CliHarness, FakeInterrupts, until } from './harness.ts';
import { goneConditions, node, up } from './made-clusters.ts';

describe('hitch stop', () => {
  let harness: CliHarness;
  let cluster: Cluster;
  beforeEach(async () => {
    harness = await CliHarness.start();
    const id = ids.next('clu');
    cluster = harness.clusters.add({ id, conditions: up, nodes: [node({ id }, 0), node({ id }, 1)] });
  });
  afterEach(() => harness.close());

  const change = (next: Partial<Cluster>): void => {
    cluster = { ...cluster, ...next };
    harness.clusters.clusters.set(cluster.id, cluster);
  };

  const goneAfter = (looks: number): void => {
    const get = harness.clusters.get.bind(harness.clusters);
    let count = 0;
    harness.clusters.stop = async () => {
      change({ phase: 'stopping' });
      harness.clusters.get = id => {
        if (count++ === looks) {
          change({ phase: 'stopped', conditions: goneConditions, saved: ['/home/me/results/a.txt'] });
        }
        return get(id);
      };
      return cluster;
    };
  };

  it('says what is saved, waits until it is confirmed gone, and lists what was saved', async () => {
    change({ save: { paths: ['results'], toFolder: '/home/me' } });
    goneAfter(2);
    const { code, stdout, stderr } = await harness.run(['stop', 'llm-dev']);
    assert.equal(code, 0, stderr);
    assert.match(
      stdout,
      /Stopping llm-dev: results is copied to \/home\/me, then both machines are deleted with everything on them\./,
    );
    assert.match(
      stderr,
      /^llm-dev: What is not saved could not be counted.*\n0:00 {2}Billing until sandbox confirms\n$/,
      'one plain line for the one stage',
    );
    assert.match(stdout, /✓ llm-dev: Gone, confirmed .*\n {2}saved \/home\/me\/results\/a\.txt\n$/);
  });

  it('says why something was not saved', async () => {
    change({ save: { paths: ['results', 'plots'], toFolder: '/home/me' } });
    goneAfter(1);
    const message = 'Could not save “plots”: no such file or folder in ~/work.';
    harness.clusters.events = async clusterId => [
      {
        clusterId,
        seq: 1,
        atMs: 0,
        kind: 'warning',
        nodeId: null,
        attemptId: null,
        value: 'not_saved',
        message,
      },
    ];
    const { stdout } = await harness.run(['stop', 'llm-dev']);
    assert.match(
      stdout,
      /saved \/home\/me\/results\/a\.txt\n {2}⚠ Could not save “plots”: no such file or folder/,
    );
  });

  describe('where work would be lost', () => {
    let asked: { skipSave: boolean; savePaths?: readonly string[] }[] = [];
    let agent: FakeAgent;
    beforeEach(() => {
      asked = [];
      agent = new FakeAgent();
      change({ phase: 'ready', conditions: up });
      agent.files.set('model.pt', Buffer.alloc(2_000_000));
      harness.clusters.links.set(cluster.id, agent.link);
      harness.clusters.stop = async (_, options) => {
        asked.push(options);
        change({ phase: 'stopped', conditions: goneConditions });
        return cluster;
      };
    });
    afterEach(() => agent.close());
    const stopAnswering = (answer: string) =>
      harness.run(['stop', 'llm-dev'], {
        tty: true,
        typing: async (input, shown) => {
          await until('the question', () => shown().includes('eep it running'));
          input.write(answer);
        },
      });

    it('names it with its size and asks; Enter keeps it running', async () => {
      const { code, stdout, stderr } = await stopAnswering('\n');
      assert.equal(code, 6);
      assert.match(stderr, /Not saved: ~\/work\/model\.pt \(2 MB\)\./);
      assert.match(stdout, /llm-dev keeps running\./);
      assert.deepEqual(asked, []);
    });

    it('saves it too when told so, and loses it only when told so', async () => {
      assert.equal((await stopAnswering('s\n')).code, 0);
      change({ phase: 'ready', conditions: up });
      assert.equal((await stopAnswering('d\n')).code, 0);
      assert.deepEqual(asked, [
        { skipSave: false, savePaths: ['model.pt'] },
        { skipSave: false, savePaths: [] },
      ]);
    });

    it('is not stopped where nobody can be asked, unless a flag says what is wanted', async () => {
      const { code, stderr } = await harness.run(['stop', 'llm-dev']);
      assert.equal(code, 6);
      assert.match(stderr, /would lose work.*model\.pt \(2 MB\)/s);
      assert.match(stderr, /--save-all .* --yes/);
      assert.deepEqual(asked, []);
      for (const flag of ['--yes', '--save-all', '--skip-save', '--json']) {
        change({ phase: 'ready', conditions: up });
        assert.equal((await harness.run(['stop', 'llm-dev', flag])).code, 0, flag);
      }
      assert.deepEqual(
        asked.map(({ savePaths }) => savePaths),
        [[], ['model.pt'], [], []],
      );
    });
  });

  it('ends its JSON stream with the cluster as it is when gone', async () => {
    goneAfter(1);
    const { ndjson } = await harness.run(['stop', 'llm-dev', '--json']);
    assert.equal(ndjson().at(-1)?.['type'], 'gone');
  });

  it('does not wait with --no-wait, and does nothing to one that is gone', async () => {
    goneAfter(1_000);
    const { code, stdout } = await harness.run(['stop', 'llm-dev', '--no-wait', '--skip-save']);
    assert.equal(code, 0);
    assert.match(stdout, /nothing is saved, both machines are deleted/);
    change({ phase: 'stopped', conditions: goneConditions });
    assert.match((await harness.run(['stop', 'llm-dev'])).stdout, /llm-dev has stopped already\./);
  });

  it('stops nothing when one of the names is unknown', async () => {
    let stopped = 0;
    harness.clusters.stop = async () => {
      stopped += 1;
      return cluster;
    };
    assert.equal((await harness.run(['stop', 'llm-dev', 'nobody'])).code, 3);
    assert.equal(stopped, 0);
  });

  it('lets Ctrl-C end the waiting, never the stopping', async () => {
    goneAfter(10_000);
    const interrupts = new FakeInterrupts();
    const { code, stderr } = await harness.run(['stop', 'llm-dev'], {
      interrupts,
      typing: async (_, shown) => {
        await until('waiting', () => shown().includes('Billing until'));
        interrupts.press();
      },
    });
    assert.equal(code, 130);
    assert.match(stderr, /llm-dev keeps stopping in the background/);
  });
});
