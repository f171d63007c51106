import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import type { ClusterId } from '@hitch/contract';
import { silentLog } from '@hitch/platform/src/log.ts';
import { ClusterUrls } from '../../src/access/cluster-urls.ts';
import { ids } from '../store/records.ts';

describe('tokens that open one cluster', () => {
  let folder: string;
  let file: string;
  const ended = new Set<ClusterId>();
  let tell: (changed: Iterable<ClusterId>) => void = () => undefined;

  const open = (): ClusterUrls =>
    new ClusterUrls({
      file,
      ids,
      log: silentLog,
      isOpen: id => !ended.has(id),
      onChange: listener => (tell = listener),
    });

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hitch-urls-'));
    file = join(folder, 'cluster-urls.json');
    ended.clear();
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  it('are the same ones each time, over daemons too, in a file for the user alone', () => {
    const [one, other] = [ids.next('clu'), ids.next('clu')];
    const first = open();
    const token = first.give(one);
    assert.equal(first.give(one), token);
    assert.notEqual(first.give(other), token);
    const next = open();
    assert.equal(next.give(one), token);
    assert.deepEqual([next.opened(token), next.opened(`${token}x`), next.opened('')], [one, null, null]);
    assert.equal(process.platform === 'win32' || (statSync(file).mode & 0o777) === 0o600, true);
  });

  it('open nothing once they are taken back, and whoever came in by them is out', () => {
    const id = ids.next('clu');
    const urls = open();
    const token = urls.give(id);
    const socket = new PassThrough();
    urls.keep(id, socket);
    assert.equal(urls.revoke(id), true);
    assert.equal(urls.revoke(id), false);
    assert.equal(socket.destroyed, true);
    assert.equal(urls.opened(token), null);
    assert.equal(open().opened(token), null);
    assert.notEqual(urls.give(id), token);
  });

  it('end with their cluster, and one that is started again gets another', () => {
    const id = ids.next('clu');
    const urls = open();
    const token = urls.give(id);
    tell([id]);
    assert.equal(urls.opened(token), id);
    ended.add(id);
    tell([id]);
    assert.equal(urls.opened(token), null);
    ended.delete(id);
    assert.notEqual(urls.give(id), token);
  });

  it('of a cluster that ended while no daemon ran open nothing', () => {
    const id = ids.next('clu');
    const token = open().give(id);
    ended.add(id);
    assert.equal(open().opened(token), null);
  });

  it('are none where their file is broken, which is written anew with the next one', () => {
    writeFileSync(file, '{"clu_');
    const id = ids.next('clu');
    const token = open().give(id);
    assert.match(readFileSync(file, 'utf8'), new RegExp(token));
    assert.equal(open().opened(token), id);
  });
});
