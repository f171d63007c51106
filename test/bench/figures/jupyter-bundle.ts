/** What a page of JupyterLab loads of Hitch, before any compression on the way. */
import { globSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { figure, type Benchmark } from '../figure.ts';

const STATIC = fileURLToPath(
  new URL('../../../jupyter-plugin/dist/labextensions/jupyterlab-hitch/static', import.meta.url),
);

export const jupyterBundle: Benchmark = {
  names: ['jupyter_bundle_kb'],
  run: async () => {
    const sizes = globSync('**/*.js', { cwd: STATIC }).map(name => statSync(join(STATIC, name)).size);
    return [
      figure({
        name: 'jupyter_bundle_kb',
        value: sizes.reduce((sum, size) => sum + size, 0) / 1000,
        unit: 'kB',
        target: { atMost: 300 },
        note: `${sizes.length} files, those loaded on demand among them, not compressed`,
      }),
    ];
  },
};
