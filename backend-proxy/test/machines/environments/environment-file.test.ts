/** Files of packages on this computer: found in a folder, read as they are locked, and refused with a sentence. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HitchError } from '@hitch/contract';
import { toldPath } from '../../../src/copies/local-paths.ts';
import {
  findEnvironmentFiles,
  readEnvironmentFile,
} from '../../../src/machines/environments/environment-file.ts';

const HEADER = '# /// script\n# dependencies = ["einops"]\n# ///\n';

describe('files of packages', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'hitch-env-files-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const put = (name: string, text: string): void => writeFileSync(join(folder, name), text);

  it('are found in a folder: lists first, the most exact before the others, then programs that name theirs', async () => {
    put('pyproject.toml', '');
    put('requirements.txt', '');
    put('plain.py', 'print(1)\n');
    put('train.py', `${HEADER}print(1)\n`);
    put('explore.ipynb', JSON.stringify({ cells: [{ source: ['import x'] }, { source: HEADER }] }));
    put('broken.ipynb', '{');
    mkdirSync(join(folder, 'below'));
    writeFileSync(join(folder, 'below', 'environment.yml'), '');
    const { files, notes } = await findEnvironmentFiles(folder);
    assert.deepEqual(
      files.map(({ name }) => name),
      ['requirements.txt', 'pyproject.toml', 'explore.ipynb', 'train.py'],
    );
    assert.equal(files[0]?.path, join(folder, 'requirements.txt'));
    assert.deepEqual(notes, []);
  });

  it('that were not looked into are said, and so is a folder that cannot be', async () => {
    for (let at = 0; at < 203; at++) {
      put(`p${at.toString()}.py`, '');
    }
    const { notes } = await findEnvironmentFiles(folder);
    assert.match(notes.join(), /^3 more programs in .* were not looked into for “# \/\/\/ script”\.$/);
    const gone = await findEnvironmentFiles(join(folder, 'gone'));
    assert.match(gone.notes.join(), /gone cannot be looked into\.$/);
  });

  it('are read as they are locked: of a notebook the cell that names packages', async () => {
    put('explore.ipynb', JSON.stringify({ cells: [{ source: ['import x'] }, { source: HEADER }] }));
    const said = { name: 'explore.ipynb', field: 'path' };
    assert.equal((await readEnvironmentFile(join(folder, 'explore.ipynb'), said)).text, HEADER);
    for (const [name, sentence] of [
      ['gone.txt', /is not there/],
      ['.', /is a folder/],
    ] as const) {
      await assert.rejects(
        readEnvironmentFile(join(folder, name), { name, field: 'path' }),
        (error: unknown) =>
          error instanceof HitchError && sentence.test(error.message) && error.field === 'path',
      );
    }
  });

  it('of a page lie in the folder that its server shows, also by the path that it was told', async () => {
    put('requirements.txt', '');
    const told = join(folder, 'requirements.txt');
    assert.equal(await toldPath(told, folder), told);
    assert.equal(await toldPath('requirements.txt', folder), told);
    symlinkSync('/etc', join(folder, 'elsewhere'));
    for (const path of ['/etc/passwd', '../secret', 'elsewhere/passwd']) {
      await assert.rejects(toldPath(path, folder), /leads out of this Jupyter server’s folder/, path);
    }
  });
});
