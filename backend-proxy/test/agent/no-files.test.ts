import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { HitchError } from '@hitch/contract';
import { WorkFolder } from '../../src/agent/files/confine.ts';
import { Files } from '../../src/agent/files/files.ts';
import { Uploads } from '../../src/agent/files/uploads.ts';
import { readUserFile } from '../../src/access/ssh/user-file.ts';

describe('hostile entries of a folder: what is no file is not waited for', function () {
  this.timeout(60_000);
  let base = '';
  let root = '';
  let server: Server | null = null;

  beforeEach(async function () {
    if (process.platform === 'win32') {
      console.log('      skipped: Windows has no pipes and sockets in folders');
      this.skip();
    }
    base = mkdtempSync(join(tmpdir(), 'hitch-no-file-'));
    root = join(base, 'work');
    mkdirSync(root);
    mkdirSync(join(base, 'up'));
    execFileSync('mkfifo', [join(root, 'pipe')]);
    symlinkSync('pipe', join(root, 'link'));
    server = createServer();
    const listening = server.listen(join(root, 'socket'));
    await new Promise(resolve => listening.once('listening', resolve));
  });

  afterEach(async () => {
    await new Promise(resolve => (server === null ? resolve(null) : server.close(resolve)));
    server = null;
    rmSync(base, { recursive: true, force: true });
  });

  const isSentence = (error: unknown): boolean => error instanceof HitchError && / /.test(error.message);

  for (const name of ['pipe', 'link', 'socket']) {
    it(`(${name}) is listed, has no checksum, and is no place for an upload`, async () => {
      const work = new WorkFolder(root);
      const files = new Files(work);
      assert.ok((await files.list('')).some(entry => entry.name === name));
      await files.stat(name);
      // More at once than there are threads that wait for files.
      const asked = Array.from({ length: 8 }, () => assert.rejects(files.checksum(name), isSentence));
      await Promise.all(asked);
      const piece = {
        path: name,
        offset: 0,
        total: 1,
        sha256: createHash('sha256').update('x').digest('hex'),
      };
      const uploads = new Uploads(work, join(base, 'up'));
      await assert.rejects(uploads.put(piece, Readable.from([Buffer.from('x')])), isSentence);
      assert.equal(statSync(join(root, name)).isFile(), false, 'it is what it was');
      assert.ok((await files.list('')).length > 0, 'the others are answered');
    });

    it(`(${name}) is no configuration of ssh`, () => {
      assert.throws(() => readUserFile(join(root, name)), isSentence);
    });
  }

  it('neither is a folder, a device, or a file of a gigabyte', () => {
    writeFileSync(join(root, 'huge'), '');
    truncateSync(join(root, 'huge'), 1024 ** 3);
    for (const path of [root, '/dev/zero', join(root, 'huge')]) {
      assert.throws(() => readUserFile(path), isSentence);
    }
  });
});
