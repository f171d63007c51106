import assert from 'node:assert/strict';
import { type EndedRun, endedRunWords, LongRuns } from '../src/long-runs.ts';

class Scene {
  readonly told: EndedRun[] = [];
  atLeastMs: number | null = 60_000;
  #nowMs = 0;
  #timers: { readonly atMs: number; readonly run: () => void }[] = [];
  readonly runs = new LongRuns({
    atLeastMs: () => this.atLeastMs,
    tell: run => this.told.push(run),
    later: (run, ms) => {
      const timer = { atMs: this.#nowMs + ms, run };
      this.#timers.push(timer);
      return () => (this.#timers = this.#timers.filter(other => other !== timer));
    },
  });

  pass(ms: number): void {
    this.#nowMs += ms;
    const due = this.#timers.filter(({ atMs }) => atMs <= this.#nowMs);
    this.#timers = this.#timers.filter(timer => !due.includes(timer));
    due.forEach(({ run }) => run());
  }

  /** Begins where the one before has ended. */
  cell(ms: number, { ok = true, notebook = 'a.ipynb' } = {}): void {
    const cell = {};
    this.runs.began(notebook, cell);
    const beganMs = this.#nowMs;
    this.pass(ms);
    this.runs.ended(notebook, cell, { beganMs, endedMs: this.#nowMs, ok });
  }
}

describe('runs of a notebook', () => {
  it('are told of when they took long, and nothing of the notebook runs any more', () => {
    const scene = new Scene();
    scene.cell(61_000);
    assert.deepEqual(scene.told, []);
    scene.pass(3_000);
    scene.cell(59_000);
    scene.pass(600_000);
    assert.deepEqual(scene.told, [{ notebook: 'a.ipynb', cells: 1, failed: 0, tookMs: 61_000 }]);
  });

  it('are of all cells that ran one after the other, whatever each took', () => {
    const scene = new Scene();
    scene.cell(30_000);
    scene.pass(1_000);
    scene.cell(20_000, { ok: false });
    scene.cell(70_000, { ok: true });
    scene.pass(3_000);
    assert.deepEqual(scene.told, [{ notebook: 'a.ipynb', cells: 3, failed: 1, tookMs: 121_000 }]);
  });

  it('end with the last cell that waits for its turn, or is deleted', () => {
    const scene = new Scene();
    const [waits, deleted] = [{}, {}];
    scene.runs.began('a.ipynb', waits);
    scene.runs.began('a.ipynb', deleted);
    scene.cell(70_000);
    scene.pass(30_000);
    assert.deepEqual(scene.told, []);
    scene.runs.ended('a.ipynb', waits, { beganMs: 0, endedMs: 100_000, ok: true });
    scene.pass(30_000);
    assert.deepEqual(scene.told, []);
    scene.runs.left('a.ipynb', deleted);
    scene.pass(3_000);
    assert.deepEqual(scene.told, [{ notebook: 'a.ipynb', cells: 2, failed: 0, tookMs: 100_000 }]);
  });

  it('are of one notebook each, and of none where nothing is to be told or nobody listens any more', () => {
    const scene = new Scene();
    scene.cell(40_000);
    scene.cell(40_000, { notebook: 'b.ipynb' });
    scene.pass(3_000);
    assert.deepEqual(scene.told, []);
    scene.atLeastMs = null;
    scene.cell(90_000);
    scene.pass(3_000);
    scene.atLeastMs = 0;
    scene.cell(1_000);
    scene.runs.dispose();
    scene.pass(3_000);
    assert.deepEqual(scene.told, []);
  });

  it('are told of in a sentence', () => {
    const run = { notebook: 'a.ipynb', cells: 1, failed: 0, tookMs: 120_000 };
    assert.equal(endedRunWords(run, 'a.ipynb', 'far'), 'a.ipynb: a cell on far has ended after 2 min.');
    assert.equal(
      endedRunWords({ ...run, cells: 3, failed: 2 }, 'a.ipynb', 'far'),
      'a.ipynb: 3 cells on far have ended after 2 min, 2 of them with an error.',
    );
  });
});
