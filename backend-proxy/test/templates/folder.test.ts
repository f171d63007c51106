/** A template's folder holds plain files that every system can have; its digest names all of it. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { templateProblemLine } from '@hitch/contract';
import { listFolder, MOST_FILES, readFolder } from '../../src/templates/folder.ts';

describe('a template’s folder', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hitch-template-'));
    writeFileSync(join(folder, 'hitch.yaml'), 'schema: hitch-template/1\n');
    mkdirSync(join(folder, 'src'));
    writeFileSync(join(folder, 'src', 'train.py'), 'print(1)\n');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const said = async (): Promise<readonly string[]> =>
    (await listFolder(folder)).problems.map(templateProblemLine);
  const digest = async (of = folder): Promise<string> =>
    (await readFolder(of, (await listFolder(of)).files)).digest;

  it('is listed by path, without what tools make anew and what .hitchignore names', async () => {
    mkdirSync(join(folder, '.git'));
    writeFileSync(join(folder, '.git', 'HEAD'), 'x');
    mkdirSync(join(folder, 'src', '__pycache__'));
    writeFileSync(join(folder, 'src', '__pycache__', 'a.pyc'), 'x');
    mkdirSync(join(folder, 'data'));
    writeFileSync(join(folder, 'data', 'big.bin'), 'x');
    writeFileSync(join(folder, '.hitchignore'), 'data/\n');
    const { files, bytes, problems } = await listFolder(folder);
    assert.deepEqual(
      files.map(({ path }) => path),
      ['.hitchignore', 'hitch.yaml', 'src/train.py'],
    );
    assert.equal(bytes, 6 + 25 + 9);
    assert.deepEqual(problems, []);
  });

  it('has a digest that anybody can work out with the tools of the system', async function () {
    if (process.platform === 'win32') {
      this.skip();
    }
    const script =
      '(printf "hitch-folder/1\\n"; for f in hitch.yaml src/train.py; do printf "%s %s %s\\n" "$(sha256sum < $f | cut -d" " -f1)" "$(wc -c < $f | tr -d " ")" $f; done) | sha256sum | cut -d" " -f1';
    const worked = execFileSync('sh', ['-c', script], { cwd: folder, encoding: 'utf8' }).trim();
    assert.equal(await digest(), `sha256:${worked}`);
  });

  it('has the same digest wherever it lies, and another with any change', async () => {
    const before = await digest();
    const copy = `${folder}-copy`;
    cpSync(folder, copy, { recursive: true });
    try {
      assert.equal(await digest(copy), before);
      writeFileSync(join(copy, 'src', 'train.py'), 'print(2)\n');
      assert.notEqual(await digest(copy), before);
    } finally {
      rmSync(copy, { recursive: true });
    }
  });

  it('refuses links by name, and follows none', async function () {
    if (process.platform === 'win32') {
      this.skip();
    }
    symlinkSync('/etc/passwd', join(folder, 'passwords'));
    symlinkSync('..', join(folder, 'up'));
    assert.deepEqual(await said(), [
      'passwords  is a link; a template holds files and folders alone. Put the file itself here.',
      'up  is a link; a template holds files and folders alone. Put the file itself here.',
    ]);
  });

  it('refuses pipes and files that run as another user', async function () {
    if (process.platform === 'win32') {
      this.skip();
    }
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    writeFileSync(join(folder, 'su'), 'x');
    chmodSync(join(folder, 'su'), 0o4755);
    assert.deepEqual(await said(), [
      'pipe  is no file: a pipe, a socket or a device. Take it out.',
      'su  runs as another user (set-uid); take that off with chmod u-s,g-s.',
    ]);
  });

  it('refuses names that are one, or none, on other systems', async function () {
    if (process.platform !== 'linux') {
      this.skip();
    }
    ['Train.py', 'train.py', 'aux.txt', 'what?.txt', 'dot.'].forEach(name =>
      writeFileSync(join(folder, name), 'x'),
    );
    assert.deepEqual(await said(), [
      'aux.txt  has a name that Windows does not allow; rename it.',
      'dot.  has a name that Windows does not allow; rename it.',
      'what?.txt  has a name that Windows does not allow; rename it.',
      'train.py  is one file with Train.py on Windows and macOS; rename one of them.',
    ]);
  });

  it('says so when it is too large, and which file is', async () => {
    writeFileSync(join(folder, 'weights.bin'), Buffer.alloc(51 * 1024 * 1024));
    const [sentence = ''] = await said();
    assert.match(sentence, /The folder has 52 MB, and may have 50; the largest is weights\.bin\./);
  });

  it('says so when it has too many files, and reads no further', async () => {
    for (let index = 0; index < MOST_FILES; index++) {
      writeFileSync(join(folder, `${index}.txt`), '');
    }
    const [sentence = ''] = await said();
    assert.match(sentence, /more than 2,000 files/);
  });

  it('finds a token in any text file, with its place', async () => {
    writeFileSync(join(folder, 'src', 'train.py'), `import os\nTOKEN = "hf_${'a'.repeat(30)}"\n`);
    const { problems } = await readFolder(folder, (await listFolder(folder)).files);
    assert.deepEqual(problems.map(templateProblemLine), [
      'src/train.py:2:10  This looks like a Hugging Face token. A template holds no secret: name it under “secrets” and store its value with hitch secrets set NAME.',
    ]);
  });

  it('refuses a file that changes while it is read', async () => {
    const { files } = await listFolder(folder);
    writeFileSync(join(folder, 'src', 'train.py'), 'print(1)  # and more\n');
    await assert.rejects(readFolder(folder, files), /src\/train\.py changed while the template was read/);
  });
});
