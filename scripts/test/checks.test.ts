import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { runChecks } from './checks.ts';

describe('the checks', () => {
  let root = '';
  before(() => {
    root = mkdtempSync(path.join(tmpdir(), 'hitch-checks-'));
    mkdirSync(path.join(root, 'node_modules'));
    writeFileSync(path.join(root, 'node_modules', 'good.cjs'), '');
    writeFileSync(
      path.join(root, 'node_modules', 'bad.cjs'),
      'console.log("line 3 is wrong"); process.exitCode = 1;',
    );
  });
  after(() => {
    rmSync(root, { recursive: true, force: true });
  });

  it('are all counted although they run side by side, and show the output of those that fail', async () => {
    const shown: Buffer[] = [];
    const checks = ['bad', 'good', 'bad', 'good', 'bad'].map((kind, index) => ({
      title: `${kind} ${index}`,
      script: `${kind}.cjs`,
      args: [],
    }));
    const sum = await runChecks(root, chunk => shown.push(chunk), checks);
    assert.equal(sum.passed, 2);
    assert.equal(sum.failures.length, 3);
    assert.equal(Buffer.concat(shown).toString('utf8').split('line 3 is wrong').length - 1, 3);
  });
});
