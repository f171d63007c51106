/** Templates from repositories and folders: looked at, agreed to, pinned; what is hostile is refused and nothing is written. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HitchError, quoteRequestSchema, type TemplateLook } from '@hitch/contract';
import { systemClock } from '@hitch/platform/src/clock.ts';
import { silentLog } from '@hitch/platform/src/log.ts';
import { homeAt } from '@hitch/platform/src/paths.ts';
import { createIds, systemRandom } from '@hitch/platform/src/random.ts';
import { createTemplates } from '../../src/templates/compose.ts';
import { SIGNATURE_FILE } from '../../src/templates/folder.ts';
import { sign } from '../../src/templates/sharing/signature.ts';
import { TeamPolicies } from '../../src/templates/team-policy.ts';
import type { Templates } from '../../src/templates/templates.ts';
import { FILES, Repository, standInSsh, YAML } from './repository.ts';

describe('templates from elsewhere', function () {
  this.timeout(30_000);
  let root: string;
  let repository: Repository;
  let templates: Templates;
  const home = () => homeAt(join(root, 'home'));
  const make = (): Templates =>
    createTemplates({
      home: home(),
      environment: {
        PATH: process.env['PATH'],
        HOME: join(root, 'nobody'),
        GIT_SSH_COMMAND: standInSsh(root),
        GIT_CONFIG_NOSYSTEM: '1',
      },
      hitch: '0.1.0',
      clock: systemClock,
      ids: createIds(systemClock, systemRandom),
      log: silentLog,
      policies: new TeamPolicies([home().policy]),
      offers: () => [],
    }).templates;
  const source = (fragment = ''): string => `git+ssh://git@host${repository.folder}${fragment}`;
  const key = (name: string): string => {
    const place = join(root, name);
    if (!existsSync(place)) {
      execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', place]);
    }
    return place;
  };
  const allow = (line: string): void => {
    mkdirSync(home().root, { recursive: true });
    writeFileSync(home().signers, line);
  };
  const publicKey = (name: string): string => readFileSync(`${key(name)}.pub`, 'utf8');
  const policy = (text: string): void => {
    mkdirSync(home().root, { recursive: true });
    writeFileSync(home().policy, `schema: hitch-policy/1\n${text}`);
  };
  const add = async (text: string): Promise<TemplateLook> => {
    const look = await templates.look({ source: text });
    await templates.take(look.id);
    return look;
  };
  const refused = (promise: Promise<unknown>, pattern: RegExp): Promise<void> =>
    assert.rejects(promise, (error: unknown) => {
      assert.ok(error instanceof HitchError, String(error));
      assert.match(`${error.message} ${error.next ?? ''}`, pattern);
      return true;
    });
  const nothingWritten = (): void => {
    assert.ok(!existsSync(home().templateLock), 'nothing was agreed to');
    const left = existsSync(home().sharedTemplates) ? readdirSync(home().sharedTemplates) : [];
    assert.deepEqual(
      left.flatMap(name => (name === '.looks' ? readdirSync(join(home().sharedTemplates, name)) : [name])),
      [],
    );
  };

  before(function () {
    if (process.platform === 'win32') {
      this.skip();
    }
  });
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'hitch-sharing-'));
    repository = new Repository(join(root, 'repository'));
    templates = make();
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  it('are there once a person agreed to them, and not before', async () => {
    const commit = repository.commit(FILES, 'v1.2.0');
    const look = await templates.look({ source: source('#v1.2.0') });
    assert.equal(look.shared.kind, 'tag');
    assert.equal(look.shared.commit, commit);
    assert.equal(look.details.info.version, '1.2.0');
    assert.ok(!(await templates.list([], null)).some(({ id }) => id === 'hf-lora'));
    const added = await templates.take(look.id);
    assert.equal(added.id, 'hf-lora');
    assert.equal(added.shared?.digest, look.details.check.digest);
    const later = (await make().list([], null)).find(({ id }) => id === 'hf-lora');
    assert.equal(later?.shared?.source, source('#v1.2.0'), 'a later daemon knows it too');
    await refused(templates.take(look.id), /That look at a template is over/);
  });

  it('lie in a folder of a repository, on a branch, or at a commit', async () => {
    const commit = repository.commit({ 'templates/lora/hitch.yaml': YAML, 'templates/lora/train.py': '' });
    for (const [fragment, kind] of [
      ['#main:templates/lora', 'branch'],
      ['#:templates/lora', 'branch'],
      [`#${commit}:templates/lora`, 'commit'],
    ] as const) {
      const look = await templates.look({ source: source(fragment) });
      assert.equal(look.shared.kind, kind);
      assert.equal(look.details.check.files, 2);
    }
    await refused(templates.look({ source: source('#v9.9.9') }), /There is no tag and no branch “v9\.9\.9”/);
    await refused(templates.look({ source: source('#main:elsewhere') }), /There is no folder elsewhere/);
  });

  it('have the digest that their folder has on their author’s computer', async () => {
    repository.commit({ ...FILES, '.hitchignore': 'notes/\n', 'notes/mine.txt': 'mine' }, 'v1.2.0');
    const { digest } = await templates.check({ folder: repository.folder }, null);
    assert.equal((await templates.look({ source: source('#v1.2.0') })).shared.digest, digest);
  });

  it('that hold what no template may are refused by its name, and nothing is written', async () => {
    const file = { mode: '100644', path: 'hitch.yaml', content: YAML };
    const cases = [
      [[file, { mode: '120000', path: 'data', content: '/etc/passwd' }], /data {2}is a link/],
      [[file, { mode: '160000', path: 'sub', content: '' }], /sub {2}is another repository/],
      [[file, { mode: '100644', path: 'aux.txt', content: '' }], /aux\.txt {2}has a name that Windows/],
      [
        [
          file,
          { mode: '100644', path: 'Train.py', content: '1' },
          { mode: '100644', path: 'train.py', content: '2' },
        ],
        /is one file with .rain\.py on Windows and macOS/,
      ],
      [
        [
          file,
          { mode: '100644', path: 'e\u0301.txt', content: '' },
          { mode: '100644', path: '\u00E9.txt', content: '' },
        ],
        /is one file with/,
      ],
      [
        [
          file,
          {
            mode: '100644',
            path: 'model.bin',
            content: 'version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 4\n',
          },
        ],
        /model\.bin {2}is kept in Git LFS/,
      ],
      [
        [file, { mode: '100644', path: 'big.bin', content: 'x'.repeat(51 * 1024 * 1024) }],
        /has 52 MB, and may have 50/,
      ],
    ] as const;
    for (const [entries, pattern] of cases) {
      repository.commitRaw(entries, 'v1.2.0');
      await refused(templates.look({ source: source('#v1.2.0') }), pattern);
      nothingWritten();
    }
  });

  it('whose tree leads out of it are refused by git itself or by us', async () => {
    repository.commitRaw(
      [
        { mode: '100644', path: 'hitch.yaml', content: YAML },
        { mode: '100644', path: '..', content: 'out' },
      ],
      'v1.2.0',
    );
    await refused(
      templates.look({ source: source('#v1.2.0') }),
      /What the repository sent is not sound|leads out of the template’s folder/,
    );
    nothingWritten();
  });

  it('with more than 2,000 files are refused', async () => {
    const entries = Array.from({ length: 2001 }, (_, at) => ({
      mode: '100644',
      path: `f${at.toString()}`,
      content: '',
    }));
    repository.put(Object.fromEntries(entries.map(({ path }) => [path, ''])));
    repository.commit(FILES, 'v1.2.0');
    await refused(templates.look({ source: source('#v1.2.0') }), /has 2003 files, and may have 2000/);
    nothingWritten();
  });

  it('run nothing of their repository: no hook, no filter, no submodule', async () => {
    const trace = join(root, 'ran');
    repository.commit(
      {
        ...FILES,
        '.gitattributes': '* filter=evil\n',
        '.gitmodules': `[submodule "a"]\n\tpath = a\n\turl = ext::touch ${trace}\n`,
      },
      'v1.2.0',
    );
    mkdirSync(join(root, 'nobody'));
    writeFileSync(
      join(root, 'nobody', '.gitconfig'),
      `[filter "evil"]\n\tsmudge = touch ${trace}\n\tclean = touch ${trace}\n[core]\n\thooksPath = ${root}/hooks\n`,
    );
    mkdirSync(join(root, 'hooks'));
    for (const hook of ['post-checkout', 'reference-transaction', 'post-merge']) {
      writeFileSync(join(root, 'hooks', hook), `#!/bin/sh\ntouch ${trace}\n`, { mode: 0o755 });
    }
    await add(source('#v1.2.0'));
    assert.ok(!existsSync(trace));
  });

  it('are read by https and ssh alone, whatever this computer’s git was told', async () => {
    repository.commit(FILES, 'v1.2.0');
    for (const [text, pattern] of [
      [`git+file://${repository.folder}`, /read by https or ssh alone/],
      ['ext::sh -c touch% /tmp/x', /read by https or ssh alone/],
      ['git@github.com:team/x', /Write git\+ssh:\/\/git@github\.com\/team\/x/],
      ['https://github.com/team/x', /Write git\+https:\/\/github\.com\/team\/x/],
      ['git+ssh://-oProxyCommand=touch/x', /is no address/],
      ['git+https://user:secret@host/x', /holds no name and no password/],
      ['git+https://host/x#--upload-pack=touch', /is no tag, branch or commit/],
      ['git+https://host/x#v1:../../etc', /is no folder inside the repository/],
    ] as const) {
      await refused(templates.look({ source: text }), pattern);
    }
    mkdirSync(join(root, 'nobody'));
    writeFileSync(
      join(root, 'nobody', '.gitconfig'),
      `[url "file://${repository.folder}"]\n\tinsteadOf = ssh://git@host${repository.folder}\n`,
    );
    await refused(templates.look({ source: source('#v1.2.0') }), /insteadOf/);
    nothingWritten();
  });

  it('whose tag shows other files than before are refused, and so is a version that was published', async () => {
    repository.commit(FILES, 'v1.2.0');
    await add(source('#v1.2.0'));
    repository.commit({ 'train.py': 'import evil\n' }, 'v1.2.0');
    const moved =
      /hf-lora 1\.2\.0 was sha256:[0-9a-f]{12}… on \d{4}-\d\d-\d\d and is now sha256:[0-9a-f]{12}…\. Someone changed a published version\./;
    await refused(templates.look({ template: 'hf-lora' }), moved);
    await refused(templates.look({ template: 'hf-lora', ref: 'main' }), moved);
    repository.commit({ 'hitch.yaml': YAML.replace('1.2.0', '1.3.0') }, 'v1.2.0');
    await refused(templates.look({ template: 'hf-lora' }), /The tag of .* Someone moved it/);
    const [kept] = (await templates.list([], null)).filter(({ id }) => id === 'hf-lora');
    assert.equal(readFileSync(join(kept?.folder ?? '', 'train.py'), 'utf8'), FILES['train.py']);
    await templates.remove('hf-lora');
    await add(source('#v1.2.0'));
  });

  it('say what another version changes, and mark the limits that rise', async () => {
    repository.commit(FILES, 'v1.2.0');
    await add(source('#v1.2.0'));
    repository.commit(
      {
        'hitch.yaml': YAML.replace('1.2.0', '1.3.0')
          .replace('"$12"', '"$50"')
          .replace('time: 12h', 'time: 6h')
          .replace('default: 20', 'default: 40'),
        'more.py': '',
      },
      'v1.3.0',
    );
    const look = await templates.look({ template: 'hf-lora', ref: 'v1.3.0' });
    assert.equal(look.before?.version, '1.2.0');
    assert.deepEqual(
      look.changes.map(({ part, words, rises }) => `${part}${rises ? '!' : ''} ${words}`),
      [
        'Limits! limits.total is $50; it was $12',
        'Limits limits.time is 6h; it was 12h',
        'Parameters steps is {"type":"integer","default":40}; it was {"type":"integer","default":20}',
        'Files new: more.py',
        'Files changed: hitch.yaml',
      ],
    );
    const before = readFileSync(home().templateLock, 'utf8');
    assert.match(before, /1\.2\.0/);
    assert.doesNotMatch(before, /1\.3\.0/, 'nothing is written before the yes');
    const taken = await templates.take(look.id);
    assert.equal(taken.version, '1.3.0');
    assert.equal(readdirSync(home().sharedTemplates).filter(name => name !== '.looks').length, 1);
  });

  it('of one name come from one source', async () => {
    repository.commit({ ...FILES, 'other/hitch.yaml': YAML, 'other/train.py': '' }, 'v1.2.0');
    await add(source('#v1.2.0'));
    await refused(templates.look({ source: source('#v1.2.0:other') }), /There is a template hf-lora already/);
  });

  it('that were changed on this computer are not used', async () => {
    repository.commit(FILES, 'v1.2.0');
    await add(source('#v1.2.0'));
    const [info] = (await templates.list([], null)).filter(({ id }) => id === 'hf-lora');
    await templates.toRun('hf-lora', null);
    writeFileSync(join(info?.folder ?? '', 'train.py'), 'import evil\n');
    await refused(templates.toRun('hf-lora', null), /are not those that were agreed to/);
  });

  it('come from a folder too, and are as they were when it changes', async () => {
    repository.put(FILES);
    const look = await add(repository.folder);
    assert.equal(look.shared.kind, 'folder');
    repository.put({ 'train.py': 'print(2)\n' });
    await templates.toRun('hf-lora', null);
    const again = await templates.look({ template: 'hf-lora' });
    assert.deepEqual(
      again.changes.map(({ words }) => words),
      ['changed: train.py'],
    );
  });

  describe('that are signed', () => {
    const signedBy = async (name: string): Promise<void> => {
      repository.commit(FILES);
      const { digest } = await templates.check({ folder: repository.folder }, null);
      const signature = await sign(digest ?? '', key(name), new AbortController().signal);
      repository.commit({ [SIGNATURE_FILE]: signature }, 'v1.2.0');
    };
    const look = (): Promise<TemplateLook> => templates.look({ source: source('#v1.2.0') });

    it('are so by a person that the list of signers names', async () => {
      await signedBy('ml');
      allow(`ml@example.org ${publicKey('ml')}`);
      assert.equal((await look()).shared.signedBy, 'ml@example.org');
    });

    it('by a key that nobody named say that, and are not refused for it', async () => {
      await signedBy('ml');
      allow(`other@example.org ${publicKey('other')}`);
      const { shared, unknownKey } = await look();
      assert.equal(shared.signedBy, null);
      assert.match(unknownKey ?? '', /^SHA256:/);
    });

    it('and changed afterwards are refused', async () => {
      await signedBy('ml');
      repository.commit({ 'train.py': 'import evil\n' }, 'v1.2.0');
      await refused(look(), /were changed after it was signed/);
      nothingWritten();
    });

    it('by a key that has expired, or was revoked, or may sign other things alone are refused', async () => {
      await signedBy('ml');
      allow(`ml@example.org valid-before="20200101" ${publicKey('ml')}`);
      await refused(look(), /has expired/);
      allow(`ml@example.org namespaces="git" ${publicKey('ml')}`);
      await refused(look(), /may not sign templates/);
      allow(`ml@example.org ${publicKey('ml')}`);
      writeFileSync(join(root, 'home', 'revoked'), publicKey('ml'));
      policy('templates: {revoked: revoked}\n');
      await refused(look(), /was revoked, by .*revoked/);
      nothingWritten();
    });
  });

  describe('under a team’s policy', () => {
    const look = (): Promise<TemplateLook> => templates.look({ source: source('#v1.2.0') });

    it('must be signed by the team', async () => {
      policy('templates: {signers: team}\n');
      writeFileSync(join(home().root, 'team'), `lead@example.org ${publicKey('lead')}`);
      repository.commit(FILES, 'v1.2.0');
      await refused(
        look(),
        /is not signed, and your team’s templates are\. \(.*policy\.yaml: templates\.signers\)/,
      );
      nothingWritten();
      const { digest } = await templates.check({ folder: repository.folder }, null);
      const by = async (name: string): Promise<void> => {
        const signature = await sign(digest ?? '', key(name), new AbortController().signal);
        repository.commit({ [SIGNATURE_FILE]: signature }, 'v1.2.0');
      };
      await by('other');
      await refused(look(), /which is none of your team’s/);
      await by('lead');
      assert.equal((await look()).shared.signedBy, 'lead@example.org');
    });

    it('come from the sources that it names', async () => {
      repository.commit(FILES, 'v1.2.0');
      policy(`templates: {sources: [hitch, "git+ssh://git@host${root}/repo"]}\n`);
      await refused(look(), /takes no templates from where .* \(.*policy\.yaml: templates\.sources\)/);
      policy(`templates: {sources: [hitch, "git+ssh://git@host${root}/repository"]}\n`);
      assert.equal((await look()).details.info.title, 'Fine-tune with LoRA');
      await templates.forQuote(quoteRequestSchema.parse({ template: 'notebook' }), null);
      policy(`templates: {sources: ["git+ssh://git@host${root}/"]}\n`);
      await refused(
        templates.forQuote(quoteRequestSchema.parse({ template: 'notebook' }), null),
        /The template notebook comes from \(hitch\)/,
      );
    });

    it('run no text for a shell where it says so', async () => {
      repository.commit(
        { 'hitch.yaml': YAML.replace(/run: .*/, 'run: {script: "python train.py"}') },
        'v1.2.0',
      );
      policy('templates: {scripts: never}\n');
      await refused(look(), /runs a text for a shell \(“run\.script”\).*templates\.scripts/);
    });

    it('that cannot be understood are not used at all', async () => {
      repository.commit(FILES, 'v1.2.0');
      policy('templates: {signer: team}\n');
      await refused(
        look(),
        /allows nothing until it is put right: .*policy\.yaml: 2:12 .*has no key “signer”/,
      );
      policy('limits: {total: 12}\n');
      await refused(look(), /policy\.yaml: 2:17 {2}“limits\.total”/);
    });
  });
});
