import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { HitchError, type ErrorCode } from '@hitch/contract';
import fc from 'fast-check';
import { pathNames, WorkFolder } from '../../src/agent/files/confine.ts';
import { Files } from '../../src/agent/files/files.ts';
import { parseRange } from '../../src/agent/files/raw-files.ts';
import { Uploads } from '../../src/agent/files/uploads.ts';

const sha256 = (bytes: string | Buffer): string => createHash('sha256').update(bytes).digest('hex');
const body = (text: string): Readable => Readable.from([Buffer.from(text)]);

async function refused(code: ErrorCode, run: () => Promise<unknown>, message = /./): Promise<void> {
  await assert.rejects(run, error => {
    assert.ok(error instanceof HitchError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    return true;
  });
}

describe('The files of a work folder', () => {
  let root: string;
  let outside: string;
  let files: Files;
  let uploads: Uploads;

  beforeEach(() => {
    const base = mkdtempSync(join(tmpdir(), 'hitch-files-'));
    root = join(base, 'work');
    outside = join(base, 'outside');
    mkdirSync(join(root, 'sub'), { recursive: true });
    mkdirSync(join(base, 'up'));
    mkdirSync(outside);
    writeFileSync(join(outside, 'secret.txt'), 'not yours');
    writeFileSync(join(root, 'a.txt'), 'hello');
    const work = new WorkFolder(root);
    files = new Files(work);
    uploads = new Uploads(work, join(base, 'up'));
  });

  afterEach(() => rmSync(join(root, '..'), { recursive: true, force: true }));

  describe('are confined', () => {
    const bad = [
      '..',
      '../outside/secret.txt',
      'sub/../../outside',
      '/etc/passwd',
      'a\0b',
      `x/${'n'.repeat(300)}`,
      'p'.repeat(5000),
    ];
    for (const path of bad) {
      it(`to paths that stay inside: ${JSON.stringify(path.slice(0, 40))} is refused`, async () => {
        await refused('BAD_INPUT', () => files.stat(path));
        await refused('BAD_INPUT', () => files.list(path));
        await refused('BAD_INPUT', () => files.makeFolder(path));
        await refused('BAD_INPUT', () => files.move('a.txt', path));
        await refused('BAD_INPUT', () => files.remove(path, true));
        await refused('BAD_INPUT', () =>
          uploads.put({ path, offset: 0, total: 1, sha256: sha256('x') }, body('x')),
        );
      });
    }

    it('against links that lead outside, for reading, writing, listing and everything below them', async () => {
      symlinkSync(outside, join(root, 'way-out'));
      symlinkSync(join(outside, 'secret.txt'), join(root, 'secret'));
      symlinkSync('/', join(root, 'sub', 'slash'));
      for (const path of ['way-out', 'secret', 'way-out/secret.txt', 'sub/slash/etc/passwd', 'sub/slash']) {
        await refused('BAD_INPUT', () => files.stat(path), /leads out of the work folder/);
        await refused('BAD_INPUT', () => files.checksum(path), /leads out/);
        const piece = { path, offset: 0, total: 1, sha256: sha256('x') };
        await refused('BAD_INPUT', () => uploads.put(piece, body('x')), /leads out/);
      }
      await refused('BAD_INPUT', () => files.makeFolder('way-out/new'), /leads out/);
      await refused('BAD_INPUT', () => files.move('a.txt', 'way-out/a.txt'), /leads out/);
      await refused('BAD_INPUT', () => files.remove('way-out/secret.txt', true), /leads out/);
      assert.deepEqual(readdirSync(outside), ['secret.txt']);
    });

    it('while a link itself can be listed, moved and removed, and what it leads to stays', async () => {
      symlinkSync(outside, join(root, 'way-out'));
      assert.ok((await files.list('')).some(({ name }) => name === 'way-out'));
      await files.move('way-out', 'renamed');
      await files.remove('renamed', true);
      assert.equal(readFileSync(join(outside, 'secret.txt'), 'utf8'), 'not yours');
      assert.ok(!existsSync(join(root, 'renamed')));
    });

    it('and follow links that stay inside', async () => {
      symlinkSync(join(root, 'a.txt'), join(root, 'sub', 'same'));
      assert.equal((await files.stat('sub/same')).sizeBytes, 5);
    });

    it('by the names Windows gives to devices, on Windows', () => {
      for (const path of ['con', 'sub/NUL', 'aux.txt', 'COM1', 'a:b', 'x?', 'end.', 'end ', 'C:']) {
        assert.throws(() => pathNames(path, 'win32'), /Windows does not allow/, path);
        assert.doesNotThrow(() => pathNames(path, 'linux'), path);
      }
      assert.deepEqual(pathNames('console/./nullable//x.txt', 'win32'), ['console', 'nullable', 'x.txt']);
    });

    it('whatever anybody makes up', async () => {
      const names = fc.constantFrom('..', '.', '', 'sub', 'a.txt', '%2e%2e', 'out', '~', '…', '\u202e', 'in');
      symlinkSync(outside, join(root, 'out'));
      symlinkSync(root, join(root, 'in'));
      const work = new WorkFolder(root);
      await fc.assert(
        fc.asyncProperty(fc.array(names, { maxLength: 6 }), async parts => {
          const found = await work.writable(parts.join('/')).catch((error: unknown) => error);
          if (found instanceof Error) {
            assert.ok(found instanceof HitchError, String(found));
          } else {
            const { entry } = found as { entry: string };
            assert.ok(entry === root || entry.startsWith(`${root}/`), entry);
            assert.ok(!entry.startsWith(`${root}/out/`), entry);
          }
        }),
      );
    });
  });

  it('are listed with folders first, and described', async () => {
    const listed = await files.list('');
    assert.deepEqual(
      listed.map(({ path, kind, sizeBytes }) => [path, kind, sizeBytes]),
      [
        ['sub', 'folder', 0],
        ['a.txt', 'file', 5],
      ],
    );
    await refused('NOT_FOUND', () => files.list('nowhere'), /nowhere does not exist/);
    await refused('CONFLICT', () => files.list('a.txt'), /not a folder/);
  });

  it('are moved, never over something', async () => {
    writeFileSync(join(root, 'b.txt'), 'other');
    await refused('CONFLICT', () => files.move('a.txt', 'b.txt'), /exists already/);
    await refused('BAD_INPUT', () => files.move('sub', 'sub/below'), /into itself/);
    await refused('BAD_INPUT', () => files.move('', 'x'), /itself cannot be moved/);
    assert.equal((await files.move('a.txt', 'sub/c.txt')).path, 'sub/c.txt');
  });

  it('are removed, a full folder only when asked, the work folder never', async () => {
    writeFileSync(join(root, 'sub', 'x'), '');
    await refused('CONFLICT', () => files.remove('sub', false), /not empty/);
    await files.remove('sub', true);
    await refused('BAD_INPUT', () => files.remove('.', true), /itself cannot be removed/);
    assert.deepEqual(readdirSync(root), ['a.txt']);
  });

  it('have folders made for them, with those above, and a file in the way said', async () => {
    assert.equal((await files.makeFolder('x/y/z')).kind, 'folder');
    assert.equal((await files.makeFolder('x/y')).kind, 'folder');
    await refused('CONFLICT', () => files.makeFolder('a.txt/y'));
    await refused('CONFLICT', () => files.makeFolder('a.txt'), /exists already/);
  });

  describe('that are sent in pieces', () => {
    const text = 'first half, second half';
    const whole = { path: 'sub/up.txt', total: text.length, sha256: sha256(text) };

    it('appear whole, in one step, after the last piece', async () => {
      const half = await uploads.put({ ...whole, offset: 0 }, body(text.slice(0, 10)));
      assert.deepEqual(half, { path: 'sub/up.txt', receivedBytes: 10, complete: false, sha256: null });
      assert.deepEqual(readdirSync(join(root, 'sub')), []);
      assert.deepEqual(await uploads.state('sub/up.txt'), half);
      const done = await uploads.put({ ...whole, offset: 10 }, body(text.slice(10)));
      assert.deepEqual(done, {
        path: 'sub/up.txt',
        receivedBytes: text.length,
        complete: true,
        sha256: whole.sha256,
      });
      assert.equal(readFileSync(join(root, 'sub', 'up.txt'), 'utf8'), text);
      assert.deepEqual(await uploads.state('sub/up.txt'), done);
      assert.deepEqual(readdirSync(join(root, '..', 'up')), []);
    });

    it('go on after a connection broke in the middle of a piece', async () => {
      const breaking = new Readable({
        read() {
          this.push(Buffer.from(text.slice(0, 7)));
          this.destroy(new Error('the connection broke'));
        },
      });
      await assert.rejects(uploads.put({ ...whole, offset: 0 }, breaking));
      const { receivedBytes } = await uploads.state('sub/up.txt');
      const done = await uploads.put({ ...whole, offset: receivedBytes }, body(text.slice(receivedBytes)));
      assert.equal(done.complete, true);
    });

    it('are discarded when the checksum is wrong, and the file before them stays', async () => {
      writeFileSync(join(root, 'sub', 'up.txt'), 'before');
      const damaged = { ...whole, offset: 0 };
      await refused('BAD_INPUT', () => uploads.put(damaged, body(text.toUpperCase())), /arrived damaged/);
      assert.equal(readFileSync(join(root, 'sub', 'up.txt'), 'utf8'), 'before');
      assert.deepEqual(readdirSync(join(root, '..', 'up')), []);
    });

    it('are refused with a gap, with another size or checksum, and beyond what was announced', async () => {
      await refused(
        'CONFLICT',
        () => uploads.put({ ...whole, offset: 5 }, body('x')),
        /has 0 bytes so far, not 5/,
      );
      await uploads.put({ ...whole, offset: 0 }, body(text.slice(0, 10)));
      await refused(
        'CONFLICT',
        () => uploads.put({ ...whole, offset: 12 }, body('x')),
        /has 10 bytes so far/,
      );
      await refused(
        'CONFLICT',
        () => uploads.put({ ...whole, total: 99, offset: 10 }, body('x')),
        /another size/,
      );
      await refused(
        'TOO_LARGE',
        () => uploads.put({ ...whole, offset: 10 }, body(text)),
        /more than the 23 bytes/,
      );
      const anew = await uploads.put({ ...whole, offset: 0 }, body(text));
      assert.equal(anew.complete, true);
    });

    it('are refused with a sentence when the disk has no room', async () => {
      const huge = { path: 'huge', offset: 0, total: Number.MAX_SAFE_INTEGER, sha256: sha256('') };
      await refused('STORAGE_FULL', () => uploads.put(huge, body('x')), /no room for huge/);
    });

    it('are refused while another request sends the same file', async () => {
      const slow = new Readable({ read: () => undefined });
      const first = uploads.put({ ...whole, offset: 0 }, slow);
      await new Promise(resolve => setTimeout(resolve, 20));
      await refused('CONFLICT', () => uploads.put({ ...whole, offset: 0 }, body(text)), /another request/);
      slow.push(Buffer.from(text));
      slow.push(null);
      assert.equal((await first).complete, true);
    });

    it('may be empty', async () => {
      const empty = { path: 'empty', offset: 0, total: 0, sha256: sha256('') };
      assert.equal((await uploads.put(empty, Readable.from([]))).complete, true);
      assert.equal(lstatSync(join(root, 'empty')).size, 0);
    });
  });

  it('are asked for by ranges as RFC 9110 writes them', () => {
    const table: [string | undefined, number, ReturnType<typeof parseRange>][] = [
      [undefined, 10, 'whole'],
      ['bytes=0-4', 10, { start: 0, end: 4 }],
      ['bytes=5-', 10, { start: 5, end: 9 }],
      ['bytes=5-99', 10, { start: 5, end: 9 }],
      ['bytes=-3', 10, { start: 7, end: 9 }],
      ['bytes=-99', 10, { start: 0, end: 9 }],
      ['bytes=10-', 10, 'unsatisfiable'],
      ['bytes=-0', 10, 'unsatisfiable'],
      ['bytes=0-', 0, 'unsatisfiable'],
      ['bytes=4-2', 10, 'whole'],
      ['bytes=0-1,3-4', 10, 'whole'],
      ['lines=1-2', 10, 'whole'],
      ['bytes=-', 10, 'whole'],
    ];
    for (const [header, size, wanted] of table) {
      assert.deepEqual(parseRange(header, size), wanted, String(header));
    }
  });
});
