/** Sharing a template by commands: published by its author, added, updated and removed by somebody else. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FILES, Repository, standInSsh, YAML } from '../templates/repository.ts';
import { CliHarness, type Ran } from './harness.ts';

describe('hitch template, shared', function () {
  this.timeout(30_000);
  let harness: CliHarness;
  let root: string;
  let repository: Repository;
  let sshBefore: string | undefined;

  before(function () {
    if (process.platform === 'win32') {
      this.skip();
    }
  });
  beforeEach(async () => {
    root = mkdtempSync(join(tmpdir(), 'hitch-cli-share-'));
    sshBefore = process.env['GIT_SSH_COMMAND'];
    process.env['GIT_SSH_COMMAND'] = standInSsh(root);
    harness = await CliHarness.start();
    repository = new Repository(join(root, 'repository'));
  });
  afterEach(async () => {
    await harness.close();
    if (sshBefore === undefined) {
      delete process.env['GIT_SSH_COMMAND'];
    } else {
      process.env['GIT_SSH_COMMAND'] = sshBefore;
    }
    rmSync(root, { recursive: true, force: true });
  });

  const template = (args: readonly string[], options: { tty?: boolean; stdin?: string } = {}): Promise<Ran> =>
    harness.run(['template', ...args], options);
  const source = (fragment: string): string => `git+ssh://git@host${repository.folder}${fragment}`;
  const next = (version: string, change: (text: string) => string = text => text): void => {
    repository.commit({ 'hitch.yaml': change(YAML.replace('1.2.0', version)) });
  };

  it('is added after a yes to what was shown, and not after a no', async () => {
    repository.commit(FILES, 'v1.2.0');
    const no = await template(['add', source('#v1.2.0')], { tty: true, stdin: 'n\n' });
    assert.equal(no.code, 6, no.stderr);
    assert.match(no.stdout, /Fine-tune with LoRA 1\.2\.0/);
    assert.match(no.stdout, /python train\.py/, 'what it runs is shown');
    assert.match(no.stdout, /Not signed: nothing says who wrote it\./);
    assert.doesNotMatch((await template(['ls'])).stdout, /hf-lora/);
    const yes = await template(['add', source('#v1.2.0')], { tty: true, stdin: 'y\n' });
    assert.equal(yes.code, 0, yes.stderr);
    const listed = (await template(['ls'])).stdout;
    assert.ok(listed.includes(source('#v1.2.0')), listed);
    assert.match((await template(['add', source('#v1.2.0')])).stdout, /is as it was/);
    const removed = await template(['remove', 'hf-lora']);
    assert.equal(removed.code, 0, removed.stderr);
    assert.doesNotMatch((await template(['ls'])).stdout, /hf-lora/);
    assert.match((await template(['remove', 'hf-lora'])).stderr, /No template “hf-lora” was added/);
  });

  it('with --json is agreed to by --yes alone', async () => {
    repository.commit(FILES, 'v1.2.0');
    const asked = await template(['add', source('#v1.2.0'), '--json']);
    assert.equal(asked.code, 6);
    assert.equal((asked.json() as { template: unknown }).template, null);
    const agreed = await template(['add', source('#v1.2.0'), '--json', '--yes']);
    assert.equal(agreed.code, 0);
    assert.equal((agreed.json() as { template: { id: string } }).template.id, 'hf-lora');
  });

  it('update marks what rises, and shows it in bold on a terminal', async () => {
    repository.commit(FILES, 'v1.2.0');
    await template(['add', source('#v1.2.0'), '--yes']);
    next('1.3.0', text => text.replace('"$12"', '"$50"'));
    repository.git('tag', 'v1.3.0');
    const shown = await template(['update', 'hf-lora', '--to', 'v1.3.0'], { tty: true, stdin: 'n\n' });
    assert.equal(shown.code, 6, shown.stderr);
    assert.match(shown.stdout, /\u001B\[1m! limits\.total is \$50; it was \$12\u001B\[22m/);
    const taken = await template(['update', '--to', 'v1.3.0', '--yes']);
    assert.equal(taken.code, 0, taken.stderr);
    assert.match(taken.stdout, /^! limits\.total is \$50; it was \$12$/m);
    assert.match((await template(['update'])).stdout, /1\.3\.0 is as it was/);
  });

  it('says that it is deprecated, and what takes its place', async () => {
    repository.commit(
      { ...FILES, 'hitch.yaml': `${YAML}deprecated: {why: It is slower., use: hf-lora-2}\n` },
      'v1.2.0',
    );
    await template(['add', source('#v1.2.0'), '--yes']);
    assert.match((await template(['ls'])).stdout, /deprecated: use hf-lora-2/);
    assert.match(
      (await template(['show', 'hf-lora'])).stdout,
      /^Deprecated: It is slower\. Use hf-lora-2\.$/m,
    );
  });

  describe('published', () => {
    const publish = (...args: readonly string[]): Promise<Ran> =>
      template(['publish', repository.folder, ...args]);

    it('is checked, signed and tagged, and added by others as it is', async () => {
      const key = join(root, 'key');
      execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
      const shared = new Repository(join(root, 'shared'));
      shared.git('config', 'core.bare', 'true');
      repository.git('remote', 'add', 'origin', `ssh://git@host${join(root, 'shared', '.git')}`);
      repository.commit(FILES);
      const done = await publish('--key', key, '--push', '--json');
      assert.equal(done.code, 0, done.stderr);
      const said = done.json() as { tag: string; source: string; signed: boolean; digest: string };
      assert.equal(said.tag, 'v1.2.0');
      assert.ok(said.signed);
      const added = await template(['add', said.source, '--yes', '--json']);
      assert.equal(added.code, 0, added.stderr);
      const { look } = added.json() as { look: { shared: { digest: string }; unknownKey: string } };
      assert.equal(look.shared.digest, said.digest);
      assert.match(look.unknownKey, /^SHA256:/);
      const again = await publish('--key', key);
      assert.equal(again.code, 4);
      assert.match(again.stderr, /hf-lora 1\.2\.0 is published: there is a tag v1\.2\.0/);
    });

    it('is not where something is wrong, or not committed as it is here', async () => {
      repository.commit({ ...FILES, 'hitch.yaml': YAML.replace('title:', 'titel:') });
      assert.match((await publish()).stderr, /Did you mean “title”.*\n.*has mistakes, and was not published/);
      repository.commit(FILES);
      repository.put({ 'train.py': 'print(2)\n', 'new.py': '' });
      const { code, stderr } = await publish();
      assert.equal(code, 2);
      assert.match(stderr, /Others would not get (?:new|train)\.py and 1 more as it is here/);
      assert.equal(repository.git('tag').trim(), '');
      writeFileSync(join(repository.folder, '.gitattributes'), '*.py text eol=crlf\n');
      repository.git('add', '--all');
      repository.git('commit', '--quiet', '-m', 'Line ends');
      repository.put({ 'train.py': 'print(2)\r\n' });
      assert.match((await publish()).stderr, /would not get train\.py as it is here/);
    });

    it('needs a newer version, and another first number where it breaks who uses it', async () => {
      repository.commit(FILES);
      assert.equal((await publish()).code, 0);
      next('1.1.0');
      assert.match((await publish()).stderr, /1\.1\.0 is not newer than 1\.2\.0/);
      const renamed = (text: string): string =>
        text.replace('steps: {type', 'count: {type').replace('params.steps', 'params.count');
      next('1.3.0', renamed);
      assert.match(
        (await publish()).stderr,
        /the parameter “steps” is gone.*\n?.*Raise the first number: 2\.0\.0/,
      );
      next('2.0.0', renamed);
      assert.equal((await publish()).code, 0);
      assert.deepEqual(repository.git('tag').trim().split('\n'), ['v1.2.0', 'v2.0.0']);
    });

    it('has its name in the tag where its repository holds several', async () => {
      repository.commit({ 'lora/hitch.yaml': YAML, 'lora/train.py': '' });
      const { code, stdout } = await template(['publish', join(repository.folder, 'lora')]);
      assert.equal(code, 0);
      assert.match(stdout, /The tag is hf-lora-v1\.2\.0/);
    });

    it('without a repository has its digest and signature', async () => {
      const folder = join(root, 'plain');
      mkdirSync(folder);
      Object.entries(FILES).forEach(([name, text]) => writeFileSync(join(folder, name), text));
      const key = join(root, 'key');
      execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
      const { code, stdout } = await template(['publish', folder, '--key', key]);
      assert.equal(code, 0);
      assert.match(stdout, /sha256:[0-9a-f]{64}, signed\./);
      assert.ok(readdirSync(folder).includes('hitch.sig'));
      assert.match(readFileSync(join(folder, 'hitch.sig'), 'utf8'), /BEGIN SSH SIGNATURE/);
    });
  });
});
