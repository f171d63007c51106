import assert from 'node:assert/strict';
import type { Cluster, Signals } from '@hitch/contract';
import * as z from 'zod';
import { ids, START_MS } from '../store/records.ts';
import { CliHarness, FakeInterrupts, until } from './harness.ts';
import { goneConditions, node, up } from './made-clusters.ts';

describe('hitch commands', () => {
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

  describe('ls', () => {
    it('gives each cluster a row in the words all clients use', async () => {
      const { stdout, code } = await harness.run(['ls']);
      assert.equal(code, 0);
      assert.match(stdout, /Name +State +Machines/);
      assert.match(
        stdout,
        /llm-dev \(practice\) +Ready, \$1\.13 of \$2\.00 spent +2 × \(1× RTX 4090, 24 GB\) +\$0\.42/,
      );
    });

    it('shows the cost of one run beside the cap of one, and what all runs cost where there were more', async () => {
      assert.doesNotMatch((await harness.run(['ls'])).stdout, /All runs/);
      change({ usage: { ...cluster.usage, accruedMicroUsd: '5000000', spentBeforeMicroUsd: '4000000' } });
      for (const command of ['ls', 'cost']) {
        const { stdout } = await harness.run([command]);
        assert.match(stdout, /Cap +All runs\n/);
        assert.match(stdout, /\$1\.00 .*\$2\.00 +\$5\.00\n/);
      }
    });

    it('says what to do when there is none, and answers [] in JSON', async () => {
      harness.clusters.clusters.clear();
      assert.match((await harness.run(['ls'])).stdout, /No clusters\. Rent one with hitch rent\./);
      assert.deepEqual((await harness.run(['ls', '--json'])).json(), []);
    });

    for (const [phase, line, fields] of [
      ['purchasing', /Renting, /, {}],
      ['unreachable', /No answer since .*\d\d:\d\d, may still bill \$0\.42\/h/, {}],
      ['degraded', /1 of 2 nodes lost .*\d\d:\d\d/, {}],
      ['stopping', /Billing until sandbox confirms, /, {}],
      ['stopped', /Gone, confirmed .*\d\d:\d\d, \$1\.13 total/, { conditions: goneConditions }],
      [
        'failed',
        /No GPU visible; gone, \$1\.13 total/,
        { message: 'No GPU visible.', conditions: goneConditions },
      ],
      [
        'failed',
        /No GPU visible; not confirmed gone by sandbox, may still bill/,
        { message: 'No GPU visible.' },
      ],
    ] as const) {
      it(`says of a ${phase} cluster what it costs and what is left`, async () => {
        change({ phase, ...fields });
        if (phase === 'degraded') {
          change({
            nodes: cluster.nodes.map(one => (one.index === 1 ? { ...one, phase: 'unreachable' } : one)),
          });
        }
        assert.match((await harness.run(['ls'])).stdout, line);
      });
    }
  });

  describe('show', () => {
    it('shows nodes, conditions, money and events', async () => {
      harness.clusters.say(cluster, 'ready');
      change({ lastEventSeq: 1 });
      const { stdout } = await harness.run(['show', 'llm-dev']);
      for (const part of [
        '0 head',
        '1 worker',
        '  Notebook server ready\n',
        '  Billing\n',
        '$1.13 of $2.00 spent at $0.42/h; stops at $2.00',
        'Events',
        '  Ready\n',
        cluster.id,
      ]) {
        assert.ok(stdout.includes(part), `${part} in ${stdout}`);
      }
    });

    it('says how many events came before those that are shown', async () => {
      for (const phase of ['starting', 'ready', 'stopping', 'stopped'] as const) {
        harness.clusters.say(cluster, phase);
      }
      change({ lastEventSeq: 4 });
      const { stdout } = await harness.run(['show', 'llm-dev', '--events', '1']);
      assert.match(stdout, /Events\n +3 earlier: hitch show llm-dev --events 4\n/);
      assert.doesNotMatch((await harness.run(['show', 'llm-dev'])).stdout, /earlier/);
    });

    it('shows what each node is busy with', async () => {
      const gpu = { name: 'NVIDIA H200', vramTotalMiB: 143_771 };
      const signals: Signals = {
        atMs: 0,
        cpuPercent: 6.6,
        cpuCores: 16,
        memoryUsedMiB: 1262,
        memoryTotalMiB: 128_888,
        diskUsedMiB: 0,
        diskTotalMiB: 1,
        gpus: [
          { ...gpu, index: 0, utilizationPercent: 99.6, vramUsedMiB: 4706 },
          { ...gpu, index: 1, utilizationPercent: null, vramUsedMiB: null },
        ],
      };
      change({ nodes: cluster.nodes.map(one => (one.index === 0 ? { ...one, signals } : one)) });
      const { stdout } = await harness.run(['show', 'llm-dev']);
      assert.match(stdout, /0 head .* {2}CPU 7 %, 1\/126 GB, GPU 100 % 5\/140 GB VRAM, GPU \? %\n/);
    });

    it('finds a cluster by its id too, and adds kernels and events to the JSON', async () => {
      const shown = z.looseObject({
        name: z.string(),
        kernels: z.array(z.unknown()),
        events: z.array(z.unknown()),
      });
      assert.equal(shown.parse((await harness.run(['show', cluster.id, '--json'])).json()).name, 'llm-dev');
    });

    it('names the clusters there are when it knows none by that name', async () => {
      const { code, stderr } = await harness.run(['show', 'llm-prod']);
      assert.equal(code, 3);
      assert.match(stderr, /There is no cluster "llm-prod"\.\nThere are: llm-dev\./);
    });

    it('refuses what cannot be a name', async () => {
      const { code, stderr } = await harness.run(['show', '../../etc']);
      assert.equal(code, 2);
      assert.match(stderr, /cluster: "\.\.\/\.\.\/etc" is not a cluster's name or id; hitch ls shows them\./);
    });
  });

  describe('logs', () => {
    it('shows the end of a log', async () => {
      assert.equal((await harness.run(['logs', 'llm-dev'])).stdout, 'agent started\n');
    });

    it('writes an entry of JSON as a line for people, and as it is with --json', async () => {
      const entry = '{"level":30,"time":"2026-11-29T06:55:55.000Z","msg":"The agent serves","port":8123}';
      harness.clusters.logs = async () => `${entry}\n`;
      assert.match(
        (await harness.run(['logs', 'llm-dev'])).stdout,
        /^[\d: -]*:55 The agent serves \(port 8123\)\n$/,
      );
      const json: unknown = JSON.parse((await harness.run(['logs', 'llm-dev', '--json'])).stdout);
      assert.equal(z.looseObject({ text: z.string() }).parse(json).text, `${entry}\n`);
    });

    it('says that a log is longer than what is shown of it', async () => {
      harness.clusters.logs = async () => 'x'.repeat(20_000);
      const { stdout, stderr } = await harness.run(['logs', 'llm-dev']);
      assert.equal(stdout.trimEnd().length, 20_000);
      assert.match(stderr, /… only the last 20 kB of this log; --bytes 1000000 shows more/);
      assert.equal((await harness.run(['logs', 'llm-dev', '--bytes', '20001'])).stderr, '');
    });

    it('follows without losing or repeating, until Ctrl-C', async () => {
      let text = '';
      harness.clusters.logs = async () => (text += `line ${text.split('\n').length}\n`);
      const interrupts = new FakeInterrupts();
      const { code, stdout } = await harness.run(['logs', 'llm-dev', '-f', '--name', 'ray'], {
        interrupts,
        typing: async (_, shown) => {
          await until('five lines', () => shown().includes('line 5\n'));
          interrupts.press();
        },
      });
      assert.equal(code, 0);
      const numbers = stdout.trimEnd().split('\n');
      assert.deepEqual(
        numbers,
        numbers.map((_, index) => `line ${index + 1}`),
      );
    });

    it('refuses a node that is not there, and a log it does not know', async () => {
      const node7 = await harness.run(['logs', 'llm-dev', '--node', '7']);
      assert.equal(node7.code, 3);
      assert.match(node7.stderr, /llm-dev has no node 7; its nodes are 0 to 1\./);
      assert.match(
        (await harness.run(['logs', 'llm-dev', '--name', 'kernel'])).stderr,
        /is not one of agent, jupyter, ray, bootstrap/,
      );
    });
  });

  describe('cost', () => {
    it('shows the month and each cluster', async () => {
      const { stdout } = await harness.run(['cost']);
      assert.match(stdout, /^\w+ \$41\.20, \$0\.42\/h now\n/);
      assert.match(stdout, /llm-dev \(practice\) +\$1\.13/);
    });

    it('shows one cluster to the micro-dollar, part by part', async () => {
      const [head] = cluster.nodes;
      assert.ok(head);
      const part = {
        nodeId: head.id,
        attemptId: ids.next('att'),
        label: 'GPU',
        ratePerHourMicroUsd: '420000',
        startMs: START_MS,
        endMs: START_MS + 60_000,
        costMicroUsd: '7000',
      };
      change({ usage: { ...cluster.usage, parts: [part] } });
      const { stdout } = await harness.run(['cost', 'llm-dev']);
      assert.match(stdout, /llm-dev: \$1\.13 of \$2\.00 spent, \$0\.42\/h now/);
      assert.match(stdout, /GPU +\$0\.007 +\$0\.42 .* 1:00/);
      const exact = z.looseObject({ cluster: z.string(), accruedMicroUsd: z.string() });
      assert.equal(
        exact.parse((await harness.run(['cost', 'llm-dev', '--json'])).json()).accruedMicroUsd,
        '1130000',
      );
    });
  });

  describe('extend', () => {
    it('shows what it may cost then, and asks', async () => {
      const asked: unknown[] = [];
      harness.clusters.extend = async (_, wanted) => {
        asked.push(wanted);
        return cluster;
      };
      const { code, stdout } = await harness.run(['extend', 'llm-dev', '--cap', '5', '--idle', '45m'], {
        tty: true,
        stdin: 'y\r',
      });
      assert.equal(code, 0);
      assert.match(
        stdout,
        /llm-dev stops at \$5\.00, at \$0\.42\/h: at most \$5\.00 in total \(\$1\.13 spent so far\)\./,
      );
      assert.deepEqual(asked, [{ capMicroUsd: '5000000', idleMs: 2_700_000 }]);
    });

    it('changes nothing without a yes, or without anything to change', async () => {
      assert.equal(
        (await harness.run(['extend', 'llm-dev', '--cap', '5'], { tty: true, stdin: '\r' })).code,
        6,
      );
      assert.equal((await harness.run(['extend', 'llm-dev', '--cap', '5'])).code, 6);
      const nothing = await harness.run(['extend', 'llm-dev']);
      assert.equal(nothing.code, 2);
      assert.match(nothing.stderr, /Say what to change: --cap, --stop-at, --for or --idle\./);
    });
  });

  describe('rm', () => {
    it('forgets a cluster', async () => {
      const { stdout } = await harness.run(['rm', 'llm-dev']);
      assert.match(stdout, /Removed llm-dev from the list\./);
      assert.equal(harness.clusters.list().length, 0);
    });
  });
});
