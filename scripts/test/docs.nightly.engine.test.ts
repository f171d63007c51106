import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');

describe('the documentation site', () => {
  it('is built without a network, with every page in it and a search of its own', function () {
    this.timeout(10 * 60_000);
    const nowhere = 'http://127.0.0.1:9';
    execFileSync(process.execPath, [join(root, 'scripts', 'docs.ts')], {
      cwd: root,
      env: { ...process.env, HTTP_PROXY: nowhere, HTTPS_PROXY: nowhere },
      stdio: 'pipe',
    });
    const page = (path: string): string => readFileSync(join(root, 'dist', 'docs', path), 'utf8');
    assert.match(page('reference/commands.html'), /hitch offers/);
    assert.match(page('start/vscode.html'), /<img[^>]+vscode-run-on/);
    assert.doesNotMatch(
      page('index.html'),
      /<(?:script|link)[^>]+(?:src|href)="https?:/,
      'nothing is loaded from elsewhere',
    );
  });
});
