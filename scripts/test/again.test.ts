import assert from 'node:assert/strict';
import { chanceLines, mostFilesAgain, type Part, partsAgain, withSecondRuns } from './again.ts';
import { emptySummary, type Summary, totalsLine, withFailure } from './summary.ts';

const passed = (count: number, skipped = 0): Summary => ({ ...emptySummary, passed: count, skipped });
const broken = (file: string, before = 1): Summary =>
  withFailure(passed(before), file, `${file} breaks`, `first line of ${file}\nsecond line`);
const part = (tier: string, file: string, sum: Summary): Part => ({ tier, files: [file], sum });

describe('a second run', () => {
  const good = part('unit', 'a.test.ts', passed(5, 1));
  const lab = part('jupyterlab', 'b.jupyterlab.test.ts', broken('b.jupyterlab.test.ts'));

  /** What becomes of these parts, what ran again, and what was said. */
  async function after(parts: readonly Part[], second: Summary, strict = false) {
    const ran: string[] = [];
    const said: string[] = [];
    const outcome = await withSecondRuns(parts, {
      strict,
      run: ({ files }) => {
        ran.push(...files);
        return Promise.resolve(second);
      },
      logOf: ({ files }) => `kept/${files.join()}.log`,
      say: line => said.push(line),
    });
    return { ...outcome, ran, said: said.join('\n') };
  }

  it('that passes stands in the place of the first, skips included, and says what failed before', async () => {
    const { sum, byChance, ran } = await after([good, lab], passed(7, 2));
    assert.deepEqual(ran, ['b.jupyterlab.test.ts']);
    assert.equal(totalsLine(sum), '12 passed, 0 failed, 3 skipped');
    assert.deepEqual(chanceLines(byChance), [
      '',
      'Failed once, passed alone:',
      '  1. b.jupyterlab.test.ts breaks (first line of b.jupyterlab.test.ts)',
      '     The output of the run that failed is in kept/b.jupyterlab.test.ts.log',
    ]);
  });

  it('that fails as well leaves the first as it is, and one in which nothing ran too', async () => {
    for (const second of [broken('b.jupyterlab.test.ts', 9), emptySummary]) {
      const { sum, byChance, said } = await after([good, lab], second);
      assert.equal(totalsLine(sum), '6 passed, 1 failed, 1 skipped');
      assert.deepEqual(byChance, []);
      assert.match(said, /It failed again/);
    }
  });

  it('is for what passed in no part of a run alone', async () => {
    const { ran, sum, said } = await after([good], passed(99));
    assert.deepEqual([ran, said, totalsLine(sum)], [[], '', '5 passed, 0 failed, 1 skipped']);
  });

  it('is not taken where the run is strict', async () => {
    const { ran, sum, said } = await after([lab], passed(7), true);
    assert.deepEqual(ran, []);
    assert.equal(sum.failures.length, 1);
    assert.match(said, /--strict/);
  });

  it('is not taken where something failed that is no chance: checks, units, contracts, chaos, the night', async () => {
    for (const [tier, file] of [
      ['check', 'lint'],
      ['unit', 'c.test.ts'],
      ['contract', 'c.contract.test.ts'],
      ['chaos', 'c.chaos.test.ts'],
      ['engine', 'c.nightly.engine.test.ts'],
    ] as const) {
      const { ran, sum, said } = await after([lab, part(tier, file, broken(file))], passed(7));
      assert.deepEqual(ran, [], file);
      assert.equal(sum.failures.length, 2);
      assert.match(said, /does not fail by chance/);
    }
  });

  it('is taken by so many files and no more', async () => {
    const engines = Array.from({ length: mostFilesAgain + 1 }, (_, n) => {
      const file = `e${n.toString()}.engine.test.ts`;
      return part('engine', file, broken(file));
    });
    const most = await after(engines.slice(1), passed(2));
    assert.equal(most.ran.length, mostFilesAgain);
    assert.equal(totalsLine(most.sum), '6 passed, 0 failed, 0 skipped');
    const more = await after(engines, passed(2));
    assert.deepEqual(more.ran, []);
    assert.match(more.said, /4 files failed/);
    assert.equal(more.sum.failures.length, engines.length);
  });

  it('names the tier where a shared process failed', () => {
    const shared: Part = { tier: 'check', files: [], sum: broken('types') };
    assert.equal(
      partsAgain([shared], false),
      'Nothing is run a second time, as check does not fail by chance.',
    );
  });
});
