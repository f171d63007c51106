/** Bundles what runs inside VS Code: the suites and the stand-in for Jupyter. */
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type BuildOptions } from 'esbuild';

const here = fileURLToPath(new URL('..', import.meta.url));

export interface BuiltSuite {
  /** The file whose `run` VS Code calls. */
  readonly tests: string;
  /** A folder that is the stand-in's extension. */
  readonly jupyter: string;
  /** An extension that does nothing: VS Code runs tests only beside one under development. */
  readonly carrier: string;
}

export async function buildSuite(folder: string): Promise<BuiltSuite> {
  const jupyter = join(folder, 'jupyter');
  mkdirSync(jupyter, { recursive: true });
  const tests = join(folder, 'suite.cjs');
  const common: BuildOptions = {
    bundle: true,
    format: 'cjs',
    platform: 'node',
    target: 'node22',
    logLevel: 'silent',
    alias: {
      'whatwg-url': 'node:url',
      // Mocha's own door is an ES module, which `require` in the Node 22 of older editors gives in another shape.
      mocha: 'mocha/lib/mocha.cjs',
    },
    external: ['vscode', 'mocha', 'bufferutil', 'utf-8-validate', 'encoding'],
  };
  await build({ ...common, entryPoints: [join(here, 'suite', 'index.ts')], outfile: tests });
  await build({
    ...common,
    entryPoints: [join(here, 'jupyter', 'extension.ts')],
    outfile: join(jupyter, 'extension.cjs'),
  });
  copyFileSync(join(here, 'jupyter', 'manifest.json'), join(jupyter, 'package.json'));
  const carrier = join(folder, 'carrier');
  mkdirSync(carrier);
  const nothing = { name: 'carrier', publisher: 'hitch', version: '0.0.0', engines: { vscode: '^1.105.0' } };
  writeFileSync(join(carrier, 'package.json'), JSON.stringify(nothing));
  return { tests, jupyter, carrier };
}
