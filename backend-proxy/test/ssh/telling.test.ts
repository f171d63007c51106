import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NodeSsh } from '@hitch/contract';
import { type Place, SshHosts } from '../../src/access/ssh/hosts.ts';
import { silentLog } from '@hitch/platform/src/log.ts';
import { homeAt } from '@hitch/platform/src/paths.ts';
import { Practice } from '../clusters/practice.ts';
import { until } from '../kernels/clients.ts';

class ForgetfulOfTheHead extends SshHosts {
  override note(place: Place, said: NodeSsh): void {
    if (place.nodeIndex === 0) {
      throw new Error('not this one');
    }
    super.note(place, said);
  }
}

describe('asking machines for the way in by ssh', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hitch-telling-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('asks each, whatever becomes of another', async () => {
    const ssh = new ForgetfulOfTheHead({
      home: homeAt(folder),
      log: silentLog,
      program: { node: 'node', hitch: 'hitch.mjs', environment: {} },
    });
    const practice = await new Practice({ ssh }).open();
    const { id } = await practice.rent({ nodes: 2 });
    const cluster = await practice.untilPhase(id, 'ready');
    assert.equal(ssh.access(cluster, 0).state, 'waiting');
    // Its key is written while others go on.
    await until('the other has answered', () => ssh.access(cluster, 1).state !== 'waiting');
    assert.match(ssh.access(cluster, 1).message, /practice machine without processes/);
    practice.close();
  });
});
