/** The points of a run on its node: whose a name is, what an agent that is killed leaves, and where it ends. */
import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eachPoint, MOST_SERIES } from '@hitch/contract/src/metrics/points.ts';
import { PointsFile } from '../../../src/agent/jobs/metrics/points-file.ts';

describe('Points of a run', () => {
  let folder = '';

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hitch-points-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const opened = (): PointsFile => new PointsFile(folder, 1);

  /** What is on the disk, with each point's name. */
  async function read(file: PointsFile): Promise<[string, number, number][]> {
    const page = await file.page({ from: 0, most: 8_192, names: 0 });
    const found: [string, number, number][] = [];
    eachPoint(Buffer.from(page.data, 'base64'), (series, step, _atMs, value) => {
      found.push([page.series[series]?.name ?? '', step, value]);
    });
    return found;
  }

  it('leaves a name to the source that told of it first', async () => {
    const file = opened();
    file.takerOf('tensorboard', '.')('loss', 1, 10, 0.5);
    file.takerOf('output')('loss', 1, 10, 0.4999);
    file.takerOf('output')('accuracy', 1, 10, 0.9);
    await file.save(() => null);
    assert.deepEqual(await read(file), [
      ['loss', 1, 0.5],
      ['accuracy', 1, 0.9],
    ]);
  });

  it('tells two folders of one source apart that tell of the same name', async () => {
    const file = opened();
    const [train, validation] = ['train', 'validation'].map(origin => file.takerOf('tensorboard', origin));
    train?.('epoch_loss', 0, 10, 0.5);
    validation?.('epoch_loss', 0, 10, 0.7);
    train?.('epoch_loss', 1, 11, 0.4);
    validation?.('epoch_loss', 1, 11, 0.6);
    await file.save(() => null);
    assert.deepEqual(await read(file), [
      ['epoch_loss', 0, 0.5],
      ['validation/epoch_loss', 0, 0.7],
      ['epoch_loss', 1, 0.4],
      ['validation/epoch_loss', 1, 0.6],
    ]);
  });

  it('shows nothing that a killed agent would forget, and goes on where the last one was', async () => {
    const first = opened();
    first.takerOf('wandb', 'a')('loss', 1, 10, 0.5);
    await first.save(() => ({ offset: 7 }));
    first.takerOf('wandb', 'a')('loss', 2, 11, 0.4);
    first.takerOf('wandb', 'a')('late', 2, 11, 0.4);
    assert.deepEqual(await read(first), [['loss', 1, 0.5]]);
    assert.deepEqual((await first.page({ from: 0, most: 1, names: 0 })).series.length, 1);
    // It was killed while it wrote.
    appendFileSync(join(folder, '1.points'), Buffer.alloc(50));
    const next = opened();
    assert.deepEqual(next.read, { offset: 7 });
    next.takerOf('wandb', 'a')('loss', 2, 11, 0.4);
    await next.save(() => ({ offset: 9 }), true);
    assert.deepEqual(await read(opened()), [
      ['loss', 1, 0.5],
      ['loss', 2, 0.4],
    ]);
    assert.equal(opened().isOver, true);
  });

  it('says what it leaves out', async () => {
    const file = opened();
    for (let at = 0; at <= MOST_SERIES; at++) {
      file.takerOf('output')(`name ${at.toString()}`, 1, 10, at);
    }
    for (let at = 0; at < 100_001; at++) {
      file.takerOf('output')('name 0', at, 10, at);
    }
    await file.save(() => null);
    const { series, notes, end } = await file.page({ from: 0, most: 1, names: 0 });
    assert.equal(series.length, MOST_SERIES);
    assert.equal(end, 100_000);
    assert.match(notes.join(' '), /more than 500 names.*\d+ values are not kept/);
  });

  it('keeps what comes while it writes', async () => {
    const file = opened();
    const take = file.takerOf('mlflow');
    const saves: Promise<void>[] = [];
    for (let step = 0; step < 50; step++) {
      take('loss', step, 10, step);
      saves.push(file.save(() => step));
    }
    await Promise.all(saves);
    assert.deepEqual(
      (await read(file)).map(([, step]) => step),
      Array.from({ length: 50 }, (_, step) => step),
    );
  });
});
