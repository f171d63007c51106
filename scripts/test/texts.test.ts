/** Programs in other languages are carried by the bundles: what runs from a bundle is what lies in the checkout. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { textsOfFiles } from '../bundle/texts.mjs';
import { filesBelow, inRoot, root } from '../setup/common.mjs';

const sources = filesBelow('backend-proxy/src').filter(file => /[\\/][a-z]+-texts\.ts$/.test(file));

async function bundled(entry: string): Promise<{ code: string; read: Set<string> }> {
  const read = new Set<string>();
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: [entry],
    bundle: true,
    format: 'esm',
    platform: 'node',
    plugins: [textsOfFiles(read)],
    write: false,
    logLevel: 'silent',
  });
  return { code: outputFiles[0]?.text ?? '', read };
}

describe('texts in bundles', () => {
  it('are what the sources read', async () => {
    assert.ok(sources.length >= 2, 'the programs for far machines, and the Python of the agent');
    for (const source of sources) {
      const { code, read } = await bundled(source);
      const fromBundle: unknown = await import(`data:text/javascript,${encodeURIComponent(code)}`);
      const fromSource: unknown = await import(pathToFileURL(inRoot(source)).href);
      assert.deepEqual({ ...Object(fromBundle) }, { ...Object(fromSource) }, source);
      assert.ok(!code.includes('readFileSync('), `${source} reads a file that is not there`);
      assert.ok(read.size > 0 && [...read].every(file => readFileSync(inRoot(file), 'utf8').length > 0));
    }
  });
});
