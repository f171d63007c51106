import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { VERSION } from '@hitch/platform/src/version.ts';

const root = join(import.meta.dirname, '..', '..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const versionOf = (text: string): unknown => (JSON.parse(text) as { version?: unknown }).version;

describe('the version', () => {
  it('is the same in all packages of one release', () => {
    const packages = ['', 'backend-proxy/', 'extension/', 'jupyter-plugin/', 'docs/'].map(
      at => `${at}package.json`,
    );
    for (const path of packages) {
      assert.equal(versionOf(read(path)), VERSION, path);
    }
    assert.match(
      read('jupyter-plugin/bridge/jupyterlab_hitch/__init__.py'),
      new RegExp(`^__version__ = "${VERSION}"$`, 'm'),
    );
  });
});
