import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import { withoutNetworks } from '../support/far-network.ts';
import { needsOpenssh } from '../support/openssh.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

const lastLineSchema = z.strictObject({
  ok: z.boolean(),
  offers: z.number().int().positive(),
  nodes: z.literal(2),
  rayNodesAlive: z.literal(2),
  secondsToKernel: z.number().positive(),
  secondsToRay: z.number().positive(),
  cellsRun: z.number().int().positive(),
  saved: z.array(z.string()).min(1),
  costMicroUsd: z.string().regex(/^[1-9]\d*$/),
  nodesLeft: z.literal(0),
  processesLeft: z.literal(0),
});

const onHostSchema = lastLineSchema.extend({
  secretsOnHost: z.literal(0),
  leftOnHost: z.literal(0),
  // Its sshd's, where it has a network of its own, and some free one elsewhere.
  openPorts: withoutNetworks() === null ? z.tuple([z.literal(22)]) : z.array(z.number()).length(1),
  installedAgain: z.literal(0),
});

/** Ray on a machine that is busy with other tests starts slowly; the demo itself waits as long as the cluster does. */
const PATIENCE_MS = 12 * 60_000;

interface Told {
  readonly code: number | null;
  readonly lines: string[];
}

function startDemo(args: readonly string[] = []): {
  child: ChildProcess;
  told: Promise<Told>;
  text: () => string;
} {
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', 'scripts/demo.ts', ...args],
    {
      cwd: root,
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  let text = '';
  child.stdout.on('data', (bytes: Buffer) => (text += bytes.toString()));
  const told = new Promise<Told>(resolve => {
    child.on('close', code => {
      const lines = text.trimEnd().split('\n');
      resolve({ code, lines });
    });
  });
  return { child, told, text: () => text };
}

describe('npm run demo', function () {
  this.timeout(PATIENCE_MS);

  before(function () {
    if (process.env['HITCH_PYTHON'] === undefined || !existsSync(`${root}/backend-proxy/dist/hitch.mjs`)) {
      console.log('      skipped: HITCH_PYTHON names no Python, or the bundles are not built');
      this.skip();
    }
  });

  async function demoEndsWell(args: readonly string[]): Promise<Told> {
    const told = await startDemo(args).told;
    assert.equal(told.code, 0, told.lines.join('\n'));
    const last = lastLineSchema.parse(JSON.parse(told.lines.at(-1) ?? ''));
    assert.equal(last.ok, true);
    assert.ok(last.saved.some(path => path.endsWith('results/metrics.json')));
    return told;
  }

  it('runs it on a machine of one’s own that ssh reaches, and leaves nothing there', async function check() {
    needsOpenssh(this);
    const { code, lines } = await startDemo(['--network', 'ssh']).told;
    assert.equal(code, 0, lines.join('\n'));
    assert.equal(onHostSchema.parse(JSON.parse(lines.at(-1) ?? '')).ok, true);
  });

  it('goes on when its daemon is killed in the middle of a cell, and loses no line', async () => {
    const { lines } = await demoEndsWell(['--kill-daemon']);
    assert.ok(lines.some(line => line.includes('kill -9')));
    for (const round of [20, 40, 60]) {
      assert.equal(lines.filter(line => line.includes(`round ${round}/60`)).length, 1);
    }
  });

  it('runs the main job and leaves nothing, also of a demo that was interrupted before', async () => {
    const { child, told, text } = startDemo();
    while (!text().includes('Renting demo') && child.exitCode === null) {
      await new Promise(resolve => setTimeout(resolve, 100));
    }
    child.kill('SIGKILL');
    await told;
    const { lines } = await demoEndsWell([]);
    assert.ok(lines.some(line => line.includes('An earlier demo was interrupted: ending demo')));
  });
});
