import assert from 'node:assert/strict';
import type { Cluster } from '@hitch/contract';
import { quote } from '../store/records.ts';
import { CliHarness } from './harness.ts';
import { node } from './made-clusters.ts';
import * as z from 'zod';

const condition = { status: 'no', reason: '', message: '', sinceMs: 0 } as const;
const yes = { ...condition, status: 'yes' } as const;
const over: Partial<Cluster> = {
  phase: 'stopped',
  conditions: { kernel: condition, engine: condition, billing: condition, cleanup: yes },
};

describe('hitch start', () => {
  let harness: CliHarness;
  let asked: unknown[];
  let started: number;
  beforeEach(async () => {
    harness = await CliHarness.start();
    const { clusters } = harness;
    asked = [];
    started = 0;
    clusters.add({ name: 'llm-dev', ...over });
    clusters.quoteAgain = async (id, options) => {
      asked.push({ name: clusters.get(id).name, ...options });
      const changes = ['It costs $0.42/h now; it was $0.40/h.'];
      const again = { isAlike: true, changes };
      return quote({
        again,
        lines: ['Rent 1× RTX 4090?', `Changed: ${changes.join('')}`],
      }).quote;
    };
    clusters.startAgain = async id => {
      started += 1;
      const ready = { ...clusters.get(id), phase: 'ready' as const };
      clusters.clusters.set(id, ready);
      return ready;
    };
  });
  afterEach(() => harness.close());

  it('shows what changed and the price, asks with No as the answer to Enter, and rents nothing', async () => {
    const { code, stdout, stderr } = await harness.run(['start', 'llm-dev'], { tty: true, stdin: '\r' });
    assert.equal(code, 6);
    assert.match(stdout, /Changed: It costs \$0\.42\/h now; it was \$0\.40\/h\./);
    assert.match(stderr, /Rent for up to \$0\.46\/h\? \[y\/N\]/);
    assert.match(stderr, /Nothing was rented\./);
    assert.equal(started, 0);
    assert.deepEqual(asked, [{ name: 'llm-dev', skipTried: false }]);
  });

  it('starts it after a yes and follows it until it is ready', async () => {
    const { code, stdout, stderr } = await harness.run(['start', 'llm-dev'], { tty: true, stdin: 'y\r' });
    assert.equal(code, 0, stderr);
    assert.match(stdout, /✓.* llm-dev after 0:00: /);
    assert.equal(started, 1);
  });

  it('is no success where a lost machine could not be replaced', async () => {
    const { clusters } = harness;
    clusters.startAgain = async id => {
      const one = clusters.get(id);
      const degraded: Cluster = {
        ...one,
        phase: 'degraded',
        message: '1 of 2 nodes lost: None of the offers could be rented.',
        nodes: [node(one, 0), { ...node(one, 1), phase: 'failed' }],
      };
      clusters.clusters.set(id, degraded);
      return degraded;
    };
    const { code, stdout, stderr } = await harness.run(['start', 'llm-dev', '--yes', '--max', '1']);
    assert.equal(code, 13);
    assert.doesNotMatch(stdout, /✓/);
    assert.match(stderr, /llm-dev is degraded: 1 of 2 nodes lost: None of the offers could be rented\./);
    assert.match(stderr, /hitch start llm-dev, or stop it with hitch stop llm-dev\./);
  });

  it('passes on the limits that are given, and leaves the others as they were ordered', async () => {
    const flags = ['--cap', '5', '--idle', 'never', '--other', '--yes', '--max', '1', '--no-wait'];
    const { code, stdout, stderr } = await harness.run(['start', 'llm-dev', ...flags]);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /llm-dev is being rented\. See it with hitch show llm-dev\./);
    assert.deepEqual(asked, [{ name: 'llm-dev', skipTried: true, capMicroUsd: '5000000', idleMs: null }]);
  });

  it('passes on what is asked for beside the offers, or that nothing is any more', async () => {
    const yes = ['--yes', '--max', '1', '--no-wait'];
    await harness.run(['start', 'llm-dev', '--disk', '200', '--bid', '0.40', '--image', 'none', ...yes]);
    const wishes = { diskGiB: 200, bidPerHourMicroUsd: '400000', image: null };
    assert.deepEqual(asked, [{ name: 'llm-dev', skipTried: false, ...wishes }]);
  });

  it('passes on how many hours are paid at once, with which it stops unless something else is said', async () => {
    const yes = ['--yes', '--max', '1', '--no-wait'];
    const before = Date.now();
    await harness.run(['start', 'llm-dev', '--hours', '3', ...yes]);
    await harness.run(['start', 'llm-dev', '--hours', 'none', ...yes]);
    const [three, none] = asked;
    const { stopAtMs, ...rest } = z.looseObject({ stopAtMs: z.number() }).parse(three);
    assert.deepEqual(rest, { name: 'llm-dev', skipTried: false, termMs: 3 * 3_600_000 });
    assert.ok(stopAtMs >= before + 3 * 3_600_000 && stopAtMs <= Date.now() + 3 * 3_600_000);
    assert.deepEqual(none, { name: 'llm-dev', skipTried: false, termMs: null });
    const wrong = await harness.run(['start', 'llm-dev', '--hours', '0', ...yes]);
    assert.match(wrong.stderr, /"0" is not a whole number from 1 to 8,784/);
  });

  it('refuses --yes without --max, a price above it, and a machine that is only the nearest', async () => {
    assert.equal((await harness.run(['start', 'llm-dev', '--yes'])).code, 2);
    const dearer = await harness.run(['start', 'llm-dev', '--yes', '--max', '0.01']);
    assert.equal(dearer.code, 5);
    harness.clusters.quoteAgain = async () =>
      quote({ again: { isAlike: false, changes: ['No 1× RTX 4090, 24 GB is available now.'] } }).quote;
    const other = await harness.run(['start', 'llm-dev', '--yes', '--max', '1']);
    assert.equal(other.code, 5);
    assert.match(other.stderr, /No 1× RTX 4090, 24 GB is available now\. Nothing was rented\./);
    assert.equal(started, 0);
  });

  it('does not ask where nobody can answer, and knows what clusters there are', async () => {
    assert.equal((await harness.run(['start', 'llm-dev'])).code, 6);
    const unknown = await harness.run(['start', 'other']);
    assert.equal(unknown.code, 3);
    assert.match(unknown.stderr, /There is no cluster "other"\.\nThere are: llm-dev\./);
    assert.equal(started, 0);
  });

  it('streams quote and creation as JSON lines', async () => {
    const { code, ndjson } = await harness.run(['start', 'llm-dev', '--yes', '--max', '1', '--json']);
    assert.equal(code, 0);
    assert.deepEqual(
      ndjson().map(({ type }) => type),
      ['quote', 'created', 'ready'],
    );
  });
});
