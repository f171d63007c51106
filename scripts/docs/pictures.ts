// npx node scripts/docs/pictures.ts: copies the pictures of the documentation from what the tests of the editors left in .cache.
import { copyFileSync, existsSync, statSync } from 'node:fs';
import { join } from 'node:path';

export const MOST_BYTES = 100_000;

/** By their names in `docs/pictures`: where the test leaves each, below `.cache`. */
export const PICTURES: Readonly<Record<string, string>> = {
  'jupyterlab-rent.png': 'screenshots/flow-form-light.png',
  'jupyterlab-template.png': 'jupyterlab-tests/pictures/templates-run-lab-light.png',
  'vscode-run-on.png': 'vscode-tests/pictures/60-quick-light.png',
  'vscode-runs-there.png': 'vscode-tests/pictures/61-quick-runs-light.png',
};

function main(): void {
  const root = join(import.meta.dirname, '..', '..');
  for (const [name, place] of Object.entries(PICTURES)) {
    const from = join(root, '.cache', place);
    if (!existsSync(from)) {
      console.log(`kept ${name}: .cache/${place} is not there, run npm test first`);
    } else if (statSync(from).size > MOST_BYTES) {
      console.log(`kept ${name}: .cache/${place} has more than ${MOST_BYTES.toLocaleString('en')} bytes`);
    } else {
      copyFileSync(from, join(root, 'docs', 'pictures', name));
      console.log(`copied ${name}`);
    }
  }
}

if (process.argv[1] === import.meta.filename) {
  main();
}
