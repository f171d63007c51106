import assert from 'node:assert/strict';
import { DEFAULT_LIMITS, type Cluster } from '@hitch/contract';
import { CliHarness, FakeInterrupts, until } from './harness.ts';

const condition = { status: 'no', reason: '', message: '', sinceMs: 0 } as const;
const yes = { ...condition, status: 'yes' } as const;

/** Lets a cluster that is asked for move one phase at each look. */
function moveOn(
  harness: CliHarness,
  phases: readonly Partial<Cluster>[],
  hold = Infinity,
): { looks: number } {
  const { clusters } = harness;
  const count = { looks: 0 };
  const get = clusters.get.bind(clusters);
  clusters.get = id => {
    const change = phases[Math.min(count.looks, phases.length - 1, hold)] ?? {};
    count.looks += 1;
    const next = { ...get(id), ...change };
    if (next.phase !== get(id).phase) clusters.say(next, next.phase);
    clusters.clusters.set(id, { ...next, lastEventSeq: clusters.recorded.length });
    return get(id);
  };
  return count;
}

const conditions = { kernel: condition, engine: condition, billing: yes, cleanup: condition };
const upPhases: Partial<Cluster>[] = [
  { phase: 'purchasing', conditions },
  { phase: 'bootstrapping', message: 'Installing packages.', conditions },
  { phase: 'starting', conditions: { ...conditions, kernel: yes } },
  { phase: 'ready', message: '', conditions: { ...conditions, kernel: yes, engine: yes } },
];
const gone: Partial<Cluster> = {
  phase: 'stopped',
  message: '',
  conditions: { ...conditions, billing: condition, cleanup: yes },
};

describe('hitch rent', () => {
  let harness: CliHarness;
  beforeEach(async () => {
    harness = await CliHarness.start();
  });
  afterEach(() => harness.close());

  const rented = () => harness.clusters.list().length;
  const yesFlags = ['--yes', '--max', '1'];

  it('shows the quote, asks with No as the answer to Enter, and rents nothing', async () => {
    const { code, stdout, stderr } = await harness.run(['rent'], { tty: true, stdin: '\r' });
    assert.equal(code, 6);
    assert.match(stdout, /Practice: nobody is charged/);
    assert.match(stderr, /\? \[y\/N\]/);
    assert.match(stderr, /Nothing was rented\./);
    assert.equal(rented(), 0);
  });

  it('rents after a yes and follows the stages in one line until it is ready', async () => {
    moveOn(harness, upPhases);
    const { code, stdout, stderr } = await harness.run(['rent', '--name', 'mine'], {
      tty: true,
      stdin: 'y\r',
    });
    assert.equal(code, 0, stderr);
    assert.match(stderr, /\r\u001b\[2K0:00 {2}Installing packages, /);
    assert.match(stdout, /✓.* mine after 0:00: /);
    assert.match(stdout, /hitch run mine/);
    assert.equal(rented(), 1);
  });

  it('writes a plain line for each change where there is no terminal', async () => {
    moveOn(harness, upPhases);
    const { code, stderr } = await harness.run(['rent', ...yesFlags]);
    assert.equal(code, 0, stderr);
    assert.doesNotMatch(stderr, /\u001b|\r/);
    const stages = stderr.trimEnd().split('\n');
    assert.equal(stages.length, upPhases.length);
    assert.match(stages[0] ?? '', /^0:00 {2}Renting/);
    assert.match(stages[1] ?? '', /Installing packages, .*billing/);
    assert.match(stages[2] ?? '', /Notebook ready/);
  });

  it('streams quote, creation, each event once and the end as JSON lines', async () => {
    moveOn(harness, upPhases);
    const { code, ndjson } = await harness.run(['rent', ...yesFlags, '--json']);
    assert.equal(code, 0);
    const types = ndjson().map(({ type }) => type);
    assert.deepEqual(types, ['quote', 'created', 'event', 'event', 'event', 'event', 'ready']);
  });

  it('passes on everything the person said', async () => {
    await harness.run([
      'rent',
      '--nodes',
      '2',
      '--engine',
      'ray',
      '--gpu',
      'RTX 4090',
      '--offer',
      'a:1',
      'b:2',
      '--cap',
      '3.50',
      '--for',
      '2h',
      '--idle',
      'never',
      '--save',
      'results',
      'model.pt',
      '--to',
      'out',
      '--secret',
      'HF_TOKEN',
      '--real',
      '--spot',
      '--disk',
      '200',
      '--networks',
      'same',
      '--image',
      'example/own:1',
      '--bid',
      '0.40',
      ...yesFlags,
      '--no-wait',
    ]);
    const [request] = harness.clusters.asked;
    assert.ok(request?.stopAtMs !== null && request?.stopAtMs !== undefined && request.stopAtMs > Date.now());
    assert.deepEqual(
      {
        ...request,
        stopAtMs: 0,
        save: { ...request.save, toFolder: request.save.toFolder?.endsWith('out') },
      },
      {
        template: null,
        engine: 'ray',
        nodes: 2,
        offerIds: ['a:1', 'b:2'],
        filter: { gpuModels: ['RTX 4090'], practice: 'exclude', markets: ['spot'] },
        otherNetworks: false,
        maxNodePricePerHourMicroUsd: '500000',
        capMicroUsd: '3500000',
        stopAtMs: 0,
        idleMs: 0,
        save: { paths: ['results', 'model.pt'], toFolder: true },
        secrets: ['HF_TOKEN'],
        send: [],
        diskGiB: 200,
        environment: null,
        image: 'example/own:1',
        bidPerHourMicroUsd: '400000',
        termMs: null,
      },
    );
  });

  it('asks for nothing beside the offers where nothing is said, and for spot where somebody bids', async () => {
    await harness.run(['rent', ...yesFlags, '--no-wait']);
    await harness.run(['rent', '--bid', '0.40', ...yesFlags, '--no-wait']);
    const [usual, bid] = harness.clusters.asked;
    assert.deepEqual([usual?.diskGiB, usual?.image, usual?.bidPerHourMicroUsd], [null, null, null]);
    assert.deepEqual(bid?.filter.markets, ['spot']);
    const wrong = await harness.run(['rent', '--image', 'two words', ...yesFlags]);
    assert.match(wrong.stderr, /"two words" is not the name of an image/);
  });

  it('pays for so many hours at once as are said, and stops with them unless something else is said', async () => {
    const before = Date.now();
    await harness.run(['rent', '--hours', '8', ...yesFlags, '--no-wait']);
    await harness.run(['rent', '--hours', '8', '--for', '10h', ...yesFlags, '--no-wait']);
    const [eight, ten] = harness.clusters.asked;
    const stops = (request: typeof eight) => Math.round(((request?.stopAtMs ?? 0) - before) / 3_600_000);
    assert.deepEqual([eight?.termMs, stops(eight)], [8 * 3_600_000, 8]);
    assert.deepEqual([ten?.termMs, stops(ten)], [8 * 3_600_000, 10]);
  });

  it('begins with the limits that all clients begin with, and runs without end only where that is said', async () => {
    const before = Date.now();
    await harness.run(['rent', ...yesFlags, '--no-wait']);
    await harness.run(['rent', '--for', 'never', ...yesFlags, '--no-wait']);
    const [usual, endless] = harness.clusters.asked;
    const lastsMs = (usual?.stopAtMs ?? 0) - before;
    assert.ok(lastsMs >= DEFAULT_LIMITS.stopAfterMs && lastsMs < DEFAULT_LIMITS.stopAfterMs + 3_600_000);
    assert.equal(endless?.stopAtMs, null);
  });

  it('returns at once with --no-wait', async () => {
    const { code, stdout } = await harness.run(['rent', ...yesFlags, '--no-wait', '--name', 'mine']);
    assert.equal(code, 0);
    assert.match(stdout, /mine is being rented\. See it with hitch show mine\./);
  });

  it('refuses --yes without --max, and a price above --max, before anything is rented', async () => {
    const without = await harness.run(['rent', '--yes']);
    assert.equal(without.code, 2);
    assert.match(without.stderr, /--yes needs --max/);
    const dearer = await harness.run(['rent', '--yes', '--max', '0.01']);
    assert.equal(dearer.code, 5);
    assert.match(dearer.stderr, /more than --max \$0\.01\/h; nothing was rented/);
    assert.equal(rented(), 0);
  });

  it('does not ask where nobody can answer', async () => {
    const { code, stderr } = await harness.run(['rent']);
    assert.equal(code, 6);
    assert.match(stderr, /needs your approval, and there is no terminal.*\nAdd --yes --max/);
    assert.equal(rented(), 0);
  });

  it('ends with the reason and its own exit code when the cluster fails', async () => {
    moveOn(harness, [
      { phase: 'failed', message: 'No GPU visible.', conditions: { ...conditions, cleanup: yes } },
    ]);
    const { code, stderr } = await harness.run(['rent', ...yesFlags]);
    assert.equal(code, 11);
    assert.match(stderr, /No GPU visible; gone, \$1\.13 total/);
  });

  for (const [argv, sentence] of [
    [['--nodes', '0'], /--nodes: "0" is not a whole number from 1 to 100\./],
    [['--nodes', '10000'], /--nodes: "10000" is not a whole number from 1 to 100\./],
    [['--cap', '2,50'], /--cap: "2,50" is not an amount of dollars/],
    [['--name', 'My Cluster'], /--name: must be 2 to 40 lower-case letters/],
    [['--save', '../secrets'], /--save: must be a relative path/],
    [['--save', '/etc/passwd'], /--save: must be a relative path/],
    [['--idle', '10'], /--idle: "10" is not a length of time/],
    [['--stop-at', '26:00'], /--stop-at: "26:00" is not a time/],
    [['--stop-at', '18:00', '--for', '2h'], /Give --stop-at or --for, not both/],
    [['--secret', 'hf token'], /--secret: must be an environment variable name/],
  ] as const) {
    it(`refuses ${argv.join(' ')} with a sentence`, async () => {
      const { code, stderr } = await harness.run(['rent', ...argv, ...yesFlags]);
      assert.equal(code, 2);
      assert.match(stderr, sentence);
      assert.equal(rented(), 0);
    });
  }

  describe('at Ctrl-C', () => {
    const waiting: Partial<Cluster>[] = [{ phase: 'bootstrapping', conditions }];

    async function interrupt(answer: string, then: readonly Partial<Cluster>[]) {
      const phases = [...waiting];
      const look = moveOn(harness, phases);
      const interrupts = new FakeInterrupts();
      const asked: string[] = [];
      harness.clusters.stop = async (id, { skipSave }) => {
        asked.push(`stop skipSave=${skipSave}`);
        phases.splice(0, phases.length, gone);
        return harness.clusters.get(id);
      };
      const ran = await harness.run(['rent', '--name', 'mine'], {
        tty: true,
        stdin: 'y\r',
        interrupts,
        typing: async (input, shown) => {
          await until('a look at the cluster', () => look.looks > 1 && interrupts.listeners > 0);
          interrupts.press();
          await until('the question', () => shown().includes('Cancel renting mine?'));
          if (then.length > 0) phases.splice(0, phases.length, ...then);
          input.write(answer);
        },
      });
      return { ...ran, asked };
    }

    it('asks, and releases what was bought after a yes, until it is confirmed gone', async () => {
      const { code, asked, stdout } = await interrupt('y\r', []);
      assert.equal(code, 130);
      assert.deepEqual(asked, ['stop skipSave=true']);
      assert.match(stdout, /✓.* mine: Gone, confirmed/);
    });

    it('leaves it running after a no, and says that it bills and how to end it', async () => {
      const { code, asked, stderr } = await interrupt('n\r', []);
      assert.equal(code, 130);
      assert.deepEqual(asked, []);
      assert.match(stderr, /mine keeps starting, and bills\..*hitch stop mine/);
    });

    it('goes on waiting after Enter', async () => {
      const { code, asked, stdout } = await interrupt('\r', [upPhases[3] ?? {}]);
      assert.equal(code, 0);
      assert.deepEqual(asked, []);
      assert.match(stdout, /✓.* mine after/);
    });

    it('destroys nothing and asks nothing where there is no terminal', async () => {
      const look = moveOn(harness, waiting);
      const interrupts = new FakeInterrupts();
      const { code, stderr } = await harness.run(['rent', ...yesFlags, '--name', 'mine'], {
        interrupts,
        typing: async () => {
          await until('a look at the cluster', () => look.looks > 1);
          interrupts.press();
        },
      });
      assert.equal(code, 130);
      assert.match(stderr, /mine keeps starting, and bills/);
      assert.equal(rented(), 1);
    });

    it('waits for the answer to the order before it asks, so that nothing bought is abandoned unseen', async () => {
      moveOn(harness, waiting);
      const interrupts = new FakeInterrupts();
      const create = harness.clusters.create.bind(harness.clusters);
      harness.clusters.create = async input => {
        interrupts.press();
        return create(input);
      };
      const { code, stderr } = await harness.run(['rent', '--name', 'mine'], {
        tty: true,
        stdin: 'y\r',
        interrupts,
        typing: async (input, shown) => {
          await until('the question', () => shown().includes('Cancel renting mine?'));
          input.write('n\r');
        },
      });
      assert.equal(code, 130);
      assert.match(stderr, /mine keeps starting/);
    });
  });
});
