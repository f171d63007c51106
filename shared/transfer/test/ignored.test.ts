/** What is left out by rule, and that it is named. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { FETCH_RULES, SEND_RULES, withoutRules } from '../src/rules.ts';
import { DiskThread } from '../src/thread/disk-thread.ts';
import { type Copied, Rig, ROOT } from './support/rig.ts';
import { makeTree, readTree, type SmallTree } from './support/small-tree.ts';

describe('what rules leave out', () => {
  const disk = new DiskThread();
  let rig: Rig;

  beforeEach(async () => {
    rig = await Rig.make(disk);
  });
  afterEach(() => rig.dispose());
  after(() => disk.close());

  const send = async (tree: SmallTree, all = false): Promise<Copied> => {
    makeTree(join(rig.here, ROOT), tree);
    return rig.copy('send', { plan: { rules: all ? withoutRules(SEND_RULES) : SEND_RULES } });
  };
  const sent = (): string[] => Object.keys(readTree(join(rig.work, ROOT)));
  const ignored = ({ account }: Copied): string[] =>
    account
      .all()
      .filter(({ outcome }) => outcome === 'ignored')
      .map(({ path }) => account.pathOf(path))
      .sort();

  it('is what `.gitignore` and `.hitchignore` name, in their own folder and below', async () => {
    const copied = await send({
      '.gitignore': '*.log\n/build\n# a comment\n\nsecret.env',
      '.hitchignore': 'data/*.bin',
      'a.log': '',
      'deep/er/b.log': '',
      'build/out': '',
      'src/build/kept': '',
      'secret.env': '',
      'data/big.bin': '',
      'data/small.csv': '',
      'train.py': '',
    });
    assert.deepEqual(sent(), [
      '.gitignore',
      '.hitchignore',
      'data/small.csv',
      'deep/er/',
      'src/build/kept',
      'train.py',
    ]);
    assert.deepEqual(ignored(copied), ['a.log', 'build', 'data/big.bin', 'deep/er/b.log', 'secret.env']);
  });

  it('is not what a rule takes back, and the nearest folder’s rule counts', async () => {
    const copied = await send({
      '.gitignore': '*.csv\n!keep.csv\nout/',
      'a.csv': '',
      'keep.csv': '',
      'sub/.gitignore': '!*.csv\nkeep.csv',
      'sub/a.csv': '',
      'sub/keep.csv': '',
      'out/x': '',
      out2: '',
      'file/out': 'a file, and the rule is about folders',
    });
    assert.deepEqual(sent(), ['.gitignore', 'file/out', 'keep.csv', 'out2', 'sub/.gitignore', 'sub/a.csv']);
    assert.deepEqual(ignored(copied), ['a.csv', 'out', 'sub/keep.csv']);
  });

  it('is also what the repository around it says, and nothing above that', async () => {
    makeTree(rig.folder, { '.gitignore': '*.py' });
    makeTree(rig.here, { '.git/HEAD': 'ref', '.gitignore': `*.log\n/${ROOT}/generated\n/other` });
    const copied = await send({ 'a.log': '', 'generated/x': '', other: '', 'train.py': '' });
    assert.deepEqual(sent(), ['other', 'train.py']);
    assert.deepEqual(ignored(copied), ['a.log', 'generated']);
  });

  it('is nothing above a folder that is in no repository', async () => {
    makeTree(rig.here, { '.gitignore': '*.log' });
    await send({ 'a.log': '' });
    assert.deepEqual(sent(), ['a.log']);
  });

  it('is what tools make anew on the other side, and the history', async () => {
    const copied = await send({
      '.git/HEAD': '',
      'src/__pycache__/x.pyc': '',
      '.ipynb_checkpoints/a': '',
      'a.ipynb': '',
    });
    assert.deepEqual(sent(), ['a.ipynb', 'src/']);
    assert.deepEqual(ignored(copied), ['.git', '.ipynb_checkpoints', 'src/__pycache__']);
  });

  it('is nothing with --all', async () => {
    const copied = await send({ '.gitignore': '*', '.hitchignore': '*', '.git/HEAD': '', 'a.log': '' }, true);
    assert.deepEqual(sent(), ['.git/HEAD', '.gitignore', '.hitchignore', 'a.log']);
    assert.deepEqual(copied.account.all(), []);
  });

  it('is not the root itself, which was named', async () => {
    makeTree(rig.here, { '.git/HEAD': '', '.gitignore': ROOT });
    await send({ 'a.txt': '' });
    assert.deepEqual(sent(), ['a.txt']);
  });

  it('is, of what is fetched, only what the file says that is Hitch’s own', async () => {
    makeTree(join(rig.work, ROOT), {
      '.gitignore': '*',
      '.hitchignore': '*.tmp\n',
      'result.csv': '',
      'a.tmp': '',
      '__pycache__/x': '',
      '.git/HEAD': '',
    });
    const copied = await rig.copy('fetch', { plan: { rules: FETCH_RULES } });
    assert.deepEqual(Object.keys(readTree(join(rig.here, ROOT))), [
      '.git/HEAD',
      '.gitignore',
      '.hitchignore',
      '__pycache__/x',
      'result.csv',
    ]);
    assert.deepEqual(ignored(copied), ['a.tmp']);
  });

  it('is nothing because of a rule file that is none: a folder, a link in circles, or nonsense', async () => {
    const copied = await send({
      'a/.gitignore/x': '',
      'b/.gitignore': '→ .gitignore',
      'd/.gitignore': '[\n\\\n!\n/\n**\u0000',
      'd/kept': '',
    });
    assert.equal(copied.error, null);
    assert.deepEqual(
      sent().filter(path => path.endsWith('kept')),
      ['d/kept'],
    );
  });

  it('is asked by names as odd as they come', async () => {
    const names = [
      'back\\slash.log',
      'line\nbreak.log',
      ' space.log ',
      '#x.log',
      '!y.log',
      '..z.log',
      'é.log',
      '-.log',
    ];
    const copied = await send({
      '.gitignore': '*.log\n',
      ...Object.fromEntries(names.map(name => [name, ''])),
    });
    assert.equal(copied.error, null);
    assert.deepEqual(sent().sort(), [' space.log ', '.gitignore']);
  });

  it('sends nothing where the rules cannot be read: what they leave out may be secret', async () => {
    const long = `${'# long\n'.repeat(160_000)}secret.env`;
    const { error, account } = await send({
      'deep/.gitignore': long,
      'deep/secret.env': 'key',
      'a.txt': 'a',
    });
    assert.match(String(error), /The rules in .*deep\/\.gitignore cannot be read: larger than 1 MB\./);
    assert.equal(account.copiedFiles, 0);
    assert.equal(existsSync(join(rig.work, ROOT)), false);
    const all = await send({}, true);
    assert.equal(all.error, null);
    assert.deepEqual(sent(), ['a.txt', 'deep/.gitignore', 'deep/secret.env']);
  });

  it('fetches all where the rules cannot be read, and says so', async function pipes() {
    if (process.platform === 'win32') {
      this.skip();
    }
    makeTree(join(rig.work, ROOT), {
      '.hitchignore': `${'# long\n'.repeat(160_000)}kept.txt`,
      'kept.txt': 'a',
      'sub/kept.txt': 'b',
    });
    execFileSync('mkfifo', [join(rig.work, ROOT, 'sub/.hitchignore')]);
    const { error, account } = await rig.copy('fetch', { plan: { rules: FETCH_RULES } });
    assert.equal(error, null);
    assert.deepEqual(account.details('.hitchignore', 'unreadable'), [
      'its rules, so nothing is left out by them: larger than 1 MB',
    ]);
    assert.deepEqual(account.details('sub/.hitchignore', 'unreadable'), [
      'its rules, so nothing is left out by them: not a file',
    ]);
    assert.deepEqual(Object.keys(readTree(join(rig.here, ROOT))), [
      '.hitchignore',
      'kept.txt',
      'sub/kept.txt',
    ]);
  });
});
