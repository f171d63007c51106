/**
 * A program that logs its loss with each of the clients that people use, unchanged, runs as a job: the same curve comes out of
 * `hitch job metrics`. The clients are installed by `npm run nightly`.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { DaemonHome } from '../support/daemon-home.ts';
import { needsRealNodes, skip } from '../support/processes.ts';

const ROOT = join(import.meta.dirname, '../..');
const PYTHON = join(ROOT, '.cache/metric-clients/bin/python');
const MISSING = join(ROOT, '.cache/metric-clients-missing.txt');
const PROGRAM = join(import.meta.dirname, 'metrics/train.py');
const STEPS = 60;
/** TensorBoard keeps 32 bits of a number. */
const SAME_WITHIN = 1e-6;

const shownSchema = z.object({
  isOver: z.boolean(),
  notes: z.array(z.string()),
  series: z.array(
    z.object({
      name: z.string(),
      source: z.string(),
      steps: z.array(z.number().nullable()),
      values: z.array(z.number()),
    }),
  ),
});

describe('Figures logged with real clients', function () {
  this.timeout(900_000);
  const home = new DaemonHome({ HITCH_PROVIDERS: 'local' });

  before(async function () {
    needsRealNodes(this);
    if (!existsSync(PYTHON)) {
      const reason = existsSync(MISSING) ? readFileSync(MISSING, 'utf8') : 'npm run nightly installs them';
      skip(this, `the clients are not there: ${reason}`);
    }
    await home.start();
    const { id } = await home.rent({ filter: { providers: ['local'] } }, 'figures');
    await home.untilKernel(id);
  });

  after(() => home.dispose());

  const figures = async (job: string): Promise<z.infer<typeof shownSchema>> => {
    const shown = await home.cli(['job', 'metrics', job, '--json']);
    assert.equal(shown.code, 0, shown.stderr);
    return shownSchema.parse(JSON.parse(shown.stdout));
  };

  for (const [client, source] of [
    ['tensorboard', 'tensorboard'],
    ['tensorboardX', 'tensorboard'],
    ['mlflow', 'mlflow'],
    ['wandb', 'wandb'],
    ['trackio', 'trackio'],
    ['output', 'output'],
  ] as const) {
    it(`are the same curve from ${client}`, async () => {
      const name = `with-${client.toLowerCase()}`;
      const words = ['--name', name, '--no-send', '--', PYTHON, PROGRAM, client];
      const ran = await home.cli(['job', 'run', 'figures', ...words]);
      assert.equal(ran.code, 0, ran.stdout + ran.stderr);
      const { series, isOver, notes } = await figures(name);
      const loss = series.find(each => each.name === 'loss');
      assert.equal(loss?.source, source);
      assert.deepEqual(
        loss.steps,
        Array.from({ length: STEPS }, (_, step) => step),
      );
      const furthest = Math.max(
        ...loss.values.map((value, step) => Math.abs(value - (2 * Math.exp(-step / 9) + 0.1))),
      );
      assert.ok(furthest <= SAME_WITHIN, `off by ${furthest.toString()}`);
      assert.deepEqual([isOver, notes], [true, []]);
    });
  }

  it('are told apart by the run that a program began beside the job’s own, and its artifacts stay in its folder', async () => {
    const { series } = await figures('with-mlflow');
    assert.deepEqual(series.find(({ name }) => name === 'child/loss')?.values, [7]);
    const found = readdirSync(home.home.machines, { recursive: true }).map(String);
    assert.ok(found.some(path => /mlartifacts.*model\.txt$/.test(path)));
  });
});
