import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Cluster } from '@hitch/contract';
import * as z from 'zod';
import { systemClock } from '@hitch/platform/src/clock.ts';
import { pythonOrSkip, RunningAgent } from '../agent/running-agent.ts';
import { CliHarness, FakeInterrupts, until as untilWithin } from './harness.ts';

/** Real shells and kernels answer, on a busy machine. */
const until = (what: string, holds: () => boolean) => untilWithin(what, holds, 60_000);

/** The same for what has to be asked for. */
async function untilFound<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  const deadline = performance.now() + 60_000;
  for (;;) {
    const found = await look();
    if (found !== undefined) {
      return found;
    }
    assert.ok(performance.now() < deadline, `waited in vain: ${what}`);
  }
}

const yes = { status: 'yes', reason: '', message: '', sinceMs: 0 } as const;

/** A notebook of these cells. */
function notebookOf(...sources: string[]): string {
  const cells = sources.map((source, index) => ({
    cell_type: 'code',
    id: `cell${index}`,
    metadata: {},
    source,
    outputs: [],
    execution_count: null,
  }));
  return JSON.stringify({
    nbformat: 4,
    nbformat_minor: 5,
    metadata: { kernelspec: { name: 'python3' } },
    cells,
  });
}

describe('hitch run and ssh, through the relay to a real Jupyter Server', function () {
  this.timeout(180_000);
  let harness: CliHarness;
  let agent: RunningAgent;
  let cluster: Cluster;
  let folder: string;
  const down = new AbortController();

  before(async function () {
    pythonOrSkip(this);
    folder = mkdtempSync(join(tmpdir(), 'hitch-run-'));
    agent = await new RunningAgent({ jupyter: true }).start();
    await agent.untilStatus('Jupyter', ({ jupyter }) => jupyter.state === 'running');
    harness = await CliHarness.start();
    cluster = harness.clusters.add({ conditions: { kernel: yes, engine: yes, billing: yes, cleanup: yes } });
    harness.clusters.links.set(cluster.id, {
      address: { socketPath: agent.socketPath },
      token: agent.token,
      closed: down.signal,
    });
  });
  after(async () => {
    await harness?.close();
    await agent?.dispose();
    if (folder !== undefined) rmSync(folder, { recursive: true });
  });

  const hitch = (argv: string[], options: Parameters<CliHarness['run']>[1] = {}) =>
    harness.run(argv, { cwd: folder, clock: systemClock, ...options });

  it('runs a notebook, streams its output, and writes it beside the notebook', async () => {
    writeFileSync(join(folder, 'n.ipynb'), notebookOf('print("one")', 'x = 41', 'x + 1'));
    const { code, stdout, stderr } = await hitch(['run', 'llm-dev', 'n.ipynb']);
    assert.equal(code, 0, stderr);
    assert.equal(stdout, 'one\n42\n');
    assert.match(
      stderr,
      /\[1\/3\] print\("one"\)\n.*\[3\/3\] x \+ 1\n3 cells ran\. Outputs are in .*n\.out\.ipynb\./s,
    );
    const written = readFileSync(join(folder, 'n.out.ipynb'), 'utf8');
    assert.match(written, /"one\\n"/);
    assert.match(written, /"execution_count": 3/);
    await agent.untilStatus('the end of its kernel', status => status.kernels.length === 0);
  });

  it('writes into the notebook with --inplace, also what ran before a cell that failed', async () => {
    writeFileSync(join(folder, 'bad.ipynb'), notebookOf('print("before")', '1/0', 'print("after")'));
    const { code, stderr } = await hitch(['run', 'llm-dev', 'bad.ipynb', '--inplace']);
    assert.equal(code, 10);
    assert.match(stderr, /hitch: Cell 2 of 3 failed with ZeroDivisionError: division by zero\./);
    const written = readFileSync(join(folder, 'bad.ipynb'), 'utf8');
    assert.match(written, /before\\n/);
    assert.match(written, /ZeroDivisionError/);
    assert.doesNotMatch(written, /after\\n/);
  });

  it('runs a cell from -c or standard input, with its exit code', async () => {
    assert.equal((await hitch(['run', 'llm-dev', '-c', 'print(6 * 7)'])).stdout, '42\n');
    assert.equal((await hitch(['run', 'llm-dev'], { stdin: 'print("piped")' })).stdout, 'piped\n');
    const failed = await hitch(['run', 'llm-dev', '-c', 'raise SystemError()']);
    assert.equal(failed.code, 10, failed.stderr);
  });

  /** Python that puts a message of this type and content on the kernel's output as it stands. */
  const sends = (type: string, json: string): string =>
    `k = get_ipython().kernel\nk.session.send(k.iopub_socket, '${type}', b'${json}', parent=k.get_parent())`;

  it('hostile: carries a message above 100 MiB, and says in line and exit code what nothing carries', async () => {
    const big = await hitch(['run', 'llm-dev', '-c', "print('x' * 105_000_000); print('after')"]);
    assert.equal(big.code, 0, big.stderr);
    assert.equal(big.stdout.length, 105_000_007);
    const tooBig = `${sends('hitch_left_out', '{"msg_type":"stream","bytes":300000000}')}\nprint("after")`;
    const cell = await hitch(['run', 'llm-dev', '-c', tooBig]);
    assert.equal(cell.code, 13, cell.stderr);
    assert.equal(cell.stdout, 'after\n');
    assert.match(cell.stderr, /\[Hitch\] One message of 300\.0 MB was left out: .*\n/);
    assert.match(cell.stderr, /Some output of the cell is missing: 300 MB\./);
    const kept = await hitch(['run', 'llm-dev', '-c', tooBig, '--keep', '--json']);
    const id = String(kept.ndjson()[0]?.['kernelId']);
    const followed = await hitch(['kernels', 'llm-dev', '--follow', id]);
    assert.equal(followed.code, 13, followed.stderr);
    assert.match(followed.stderr, /Some output is missing: 300 MB\./);
    assert.equal((await hitch(['kernels', 'llm-dev', '--end', id])).code, 0);
    writeFileSync(join(folder, 'lost.ipynb'), notebookOf('1', tooBig, 'print("last")'));
    const notebook = await hitch(['run', 'llm-dev', 'lost.ipynb']);
    assert.equal(notebook.code, 13, notebook.stderr);
    assert.match(notebook.stderr, /Some outputs of cell 2 are missing: 300 MB\./);
    assert.match(readFileSync(join(folder, 'lost.out.ipynb'), 'utf8'), /was left out[\s\S]*last\\n/);
  });

  it('hostile: goes on after messages that are none, and says that something is missing', async () => {
    const code = `${sends('stream', '[1]')}\n${sends('status', '"x"')}\n${sends('display_data', '{')}\nprint("after")`;
    const ran = await hitch(['run', 'llm-dev', '-c', code]);
    assert.equal(ran.code, 13, ran.stderr);
    assert.equal(ran.stdout, 'after\n');
    assert.match(ran.stderr, /A message of the kernel cannot be read and is missing here/);
    assert.doesNotMatch(ran.stderr, /\n\s+at /, 'no stack');
  });

  it('hostile: what a closed window left running is listed, followed from its start, interrupted and ended', async () => {
    const code = [
      'import os, time',
      'print("first", flush=True)',
      'while not os.path.exists("go-on"): time.sleep(0.05)',
      'print("last")',
      'while True: time.sleep(0.05)',
    ].join('\n');
    const window = hitch(['run', 'llm-dev', '-c', code]);
    const id = await untilFound('a kernel at work', async () => {
      const listed = await hitch(['kernels', 'llm-dev', '--json']);
      const kernels = z
        .array(z.looseObject({ id: z.string(), state: z.string() }))
        .parse(JSON.parse(listed.stdout));
      return kernels.find(({ state }) => state === 'busy')?.id;
    });
    const shown = await hitch(['kernels', 'llm-dev']);
    assert.match(shown.stdout, new RegExp(`${id}  python3  running a cell  cell \\(hitch run`));
    // Whoever looks may go away again.
    const interrupts = new FakeInterrupts();
    const left = await hitch(['kernels', 'llm-dev', '--follow', id], {
      interrupts,
      typing: async (_, seen) => {
        await until('its first output', () => seen().includes('first'));
        interrupts.press();
      },
    });
    assert.equal(left.code, 130, left.stderr);
    assert.match(
      left.stderr,
      new RegExp(`It keeps running\\. Come back with hitch kernels llm-dev --follow ${id.slice(0, 8)}\\.`),
    );
    const followed = await hitch(['kernels', 'llm-dev', '--follow', id.slice(0, 8)], {
      typing: async (_, seen) => {
        await until('its first output', () => seen().includes('first'));
        writeFileSync(join(agent.work, 'go-on'), '');
        await until('its last output', () => seen().includes('last'));
        assert.equal((await hitch(['kernels', 'llm-dev', '--interrupt', id])).code, 0);
      },
    });
    assert.equal(followed.code, 10, followed.stderr);
    assert.equal(followed.stdout, 'first\nlast\n');
    assert.match(followed.stderr, /KeyboardInterrupt/);
    assert.equal((await window).code, 10);
    const kept = await hitch(['run', 'llm-dev', '-c', 'print(1)', '--keep', '--json']);
    const other = String(kept.ndjson()[0]?.['kernelId']);
    const again = await hitch(['kernels', 'llm-dev', '--follow', other]);
    assert.equal(again.stdout, '1\n', 'what is over is shown too');
    assert.equal((await hitch(['kernels', 'llm-dev', '--end', other])).code, 0);
    assert.equal((await hitch(['kernels', 'llm-dev', '--end', other])).code, 3);
    assert.equal((await hitch(['kernels', 'llm-dev', '--end', other, '--follow', other])).code, 2);
  });

  it('keeps a kernel and its variables for the next call', async () => {
    const first = await hitch(['run', 'llm-dev', '-c', 'kept = 7', '--keep', '--json']);
    const id = first.ndjson()[0]?.['kernelId'];
    assert.equal(typeof id, 'string');
    const second = await hitch(['run', 'llm-dev', '-c', 'print(kept)', '--kernel', String(id)]);
    assert.equal(second.stdout, '7\n', second.stderr);
    await agent.untilStatus(
      'one kernel: that which was there is left alone',
      status => status.kernels.length === 1,
    );
    const third = await hitch(['run', 'llm-dev', '-c', 'kept']);
    assert.match(third.stderr, /NameError/, 'a run without --kernel has a kernel of its own');
    const wrong = await hitch(['run', 'llm-dev', '-c', '1', '--kernel', 'ffff-ffff']);
    assert.equal(wrong.code, 3);
    assert.match(wrong.stderr, /There is no kernel ffff-ffff\./);
  });

  it('tells each thing that happens as a JSON line', async () => {
    writeFileSync(join(folder, 'j.ipynb'), notebookOf('print("hi")', '2'));
    const { ndjson } = await hitch(['run', 'llm-dev', 'j.ipynb', '--json']);
    assert.deepEqual(
      ndjson().map(({ type }) => type),
      ['kernel', 'cell', 'stream', 'cell_ended', 'cell', 'output', 'cell_ended', 'done'],
    );
  });

  it('interrupts a cell when its time is up, and at Ctrl-C', async () => {
    const slow = 'import time\nprint("begun", flush=True)\ntime.sleep(60)';
    const late = await hitch(['run', 'llm-dev', '-c', slow, '--timeout', '3s']);
    assert.equal(late.code, 12, late.stderr);
    assert.equal(late.stdout, 'begun\n');
    const interrupts = new FakeInterrupts();
    const stopped = await hitch(['run', 'llm-dev', '-c', slow], {
      interrupts,
      typing: async (_, shown) => {
        await until('output', () => shown().includes('begun'));
        interrupts.press();
      },
    });
    assert.equal(stopped.code, 130, stopped.stderr);
  });

  it('refuses a notebook that is none before it starts a kernel', async () => {
    await agent.untilStatus('only the kept kernel', status => status.kernels.length === 1);
    writeFileSync(join(folder, 'broken.ipynb'), '{"cells": [');
    const { code, stderr } = await hitch(['run', 'llm-dev', 'broken.ipynb']);
    assert.equal(code, 2);
    assert.match(stderr, /broken\.ipynb is not a notebook that can run: it is not JSON/);
    assert.equal((await hitch(['run', 'llm-dev', 'nowhere.ipynb'])).code, 3);
    assert.equal((await hitch(['run', 'llm-dev', folder])).code, 2);
    assert.equal((await agent.status()).kernels.length, 1);
  });

  it('opens a terminal that stays when one leaves, and ends with its shell', async () => {
    const first = await hitch(['ssh', 'llm-dev'], {
      tty: true,
      typing: async (input, shown) => {
        await until('a prompt', () => /[$#] $/.test(shown()) || shown().includes('# '));
        input.write('marker=$((40 + 2)); echo "is $marker"\r');
        await until('its answer', () => shown().includes('is 42'));
        input.write('\u001d');
      },
    });
    assert.equal(first.code, 0);
    assert.match(first.stderr, /Left terminal 1 running\. Come back with hitch ssh llm-dev\./);
    const second = await hitch(['ssh', 'llm-dev'], {
      tty: true,
      typing: async (input, shown) => {
        await until('the terminal', () => shown().includes('leaves it running'));
        input.write('echo "still $marker"; exit\r');
        await until('its answer', () => shown().includes('still 42'));
      },
    });
    assert.equal(second.code, 0);
    assert.match(second.stderr, /The terminal has ended\./);
  });

  it('copies folders both ways, empty ones too', async () => {
    const { code, stderr } = await hitch(['cp', 'n.ipynb', 'llm-dev:sent/']);
    assert.equal(code, 0, stderr);
    await hitch([
      'run',
      'llm-dev',
      '-c',
      'import os; os.makedirs("out/empty"); open("out/a b.txt", "w").write("é")',
    ]);
    assert.equal((await hitch(['cp', 'llm-dev:out', 'llm-dev:sent', './'])).code, 0);
    assert.equal(readFileSync(join(folder, 'out', 'a b.txt'), 'utf8'), 'é');
    assert.equal(
      readFileSync(join(folder, 'sent', 'n.ipynb'), 'utf8'),
      readFileSync(join(folder, 'n.ipynb'), 'utf8'),
    );
  });
});
