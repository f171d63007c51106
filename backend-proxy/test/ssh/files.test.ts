import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
} from 'node:fs';
import { rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clusterIdSchema, HitchError, type NodeSsh } from '@hitch/contract';
import { programIn } from '@hitch/client-node/src/proxy-script.ts';
import { SshHosts } from '../../src/access/ssh/hosts.ts';
import { sshPart } from '../../src/access/ssh/user-config.ts';
import { changeUserFile } from '../../src/access/ssh/user-file.ts';
import { mendProxy } from '@hitch/client-node/src/mend-proxy.ts';
import { silentLog } from '@hitch/platform/src/log.ts';
import { homeAt } from '@hitch/platform/src/paths.ts';

const id = clusterIdSchema.parse('clu_01J00000000000000000000000');
const cluster = { id, name: 'llm-dev', phase: 'ready' } as const;
const place = { clusterId: id, nodeIndex: 0, attemptId: 'att_1', alias: 'hitch-llm-dev' };
const said: NodeSsh = {
  available: true,
  message: '',
  hostKey: 'ssh-ed25519 AAAA',
  user: 'root',
  workFolder: '/work',
};

describe('the files for ssh', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hitch-ssh-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  describe('of the user', () => {
    const upper = (text: string): string => text.toUpperCase();

    it('are made, with their folder, closed to others, where there were none', () => {
      const file = join(folder, '.ssh', 'config');
      changeUserFile(file, text => `${text}x`);
      assert.equal(readFileSync(file, 'utf8'), 'x');
      assert.deepEqual(
        [statSync(file).mode & 0o777, statSync(join(folder, '.ssh')).mode & 0o777],
        [0o600, 0o700],
      );
    });

    it('are changed where a chain of links leads, also to what is not there yet', () => {
      mkdirSync(join(folder, 'dots'));
      symlinkSync('dots/second', join(folder, 'first'));
      symlinkSync('real', join(folder, 'dots', 'second'));
      changeUserFile(join(folder, 'first'), () => 'x');
      assert.equal(readFileSync(join(folder, 'dots', 'real'), 'utf8'), 'x');
      assert.ok(lstatSync(join(folder, 'first')).isSymbolicLink());
      assert.deepEqual(readdirSync(join(folder, 'dots')), ['real', 'second']);
    });

    it('keep an odd mode, and are not written when nothing changes', () => {
      const file = join(folder, 'config');
      writeFileSync(file, 'abc');
      chmodSync(file, 0o464);
      const { ino } = statSync(file);
      changeUserFile(file, text => text);
      assert.equal(statSync(file).ino, ino);
      changeUserFile(file, upper);
      assert.equal(statSync(file).mode & 0o7777, 0o464);
      assert.equal(readFileSync(file, 'utf8'), 'ABC');
    });

    it('keep each byte, whatever they are written in, around a line of ours that is not plain letters', () => {
      const hosts = new SshHosts({
        home: homeAt(join(folder, 'für dich')),
        log: silentLog,
        program: { node: 'node', hitch: 'hitch.mjs', environment: {} },
      });
      const file = join(folder, 'config');
      const part = sshPart(hosts, folder);
      const latin1 = Buffer.from('# caf\xe9\nHost *\n', 'latin1');
      const ours = Buffer.from(`${part.config(file).includeLine}\n`);
      writeFileSync(file, Buffer.concat([ours, latin1]));
      assert.equal(part.config(file).included, true);
      assert.equal(part.exclude(file).included, false);
      assert.deepEqual(readFileSync(file), latin1);
    });

    it('are left alone where replacing them would lose something', () => {
      const file = join(folder, 'config');
      writeFileSync(file, 'abc');
      linkSync(file, join(folder, 'other name'));
      const refused = (error: unknown): boolean =>
        error instanceof HitchError && /hard links/.test(error.message);
      assert.throws(() => changeUserFile(file, upper), refused);
      assert.throws(() => changeUserFile(folder, upper), HitchError);
      assert.equal(readFileSync(file, 'utf8'), 'abc');
    });

    it('are never overwritten by what another program wrote meanwhile', () => {
      const file = join(folder, 'config');
      writeFileSync(file, 'one');
      let others = 0;
      changeUserFile(file, text => {
        others += 1;
        if (others === 1) {
          writeFileSync(file, 'two');
        }
        return upper(text);
      });
      assert.equal(readFileSync(file, 'utf8'), 'TWO');
      assert.throws(
        () =>
          changeUserFile(file, text => {
            writeFileSync(file, `${text}.`);
            return `${text}!`;
          }),
        /being changed by another program/,
      );
      assert.deepEqual(readdirSync(folder), ['config']);
    });
  });

  describe('of Hitch', () => {
    const open = (running: readonly string[] = [id]): SshHosts => {
      const hosts = new SshHosts({
        home: homeAt(folder),
        log: silentLog,
        program: { node: 'node', hitch: 'hitch.mjs', environment: {} },
        platform: 'linux',
      });
      hosts.start(new Set(running));
      return hosts;
    };
    const config = (hosts: SshHosts): string => readFileSync(hosts.files.config, 'utf8');

    it('name a machine from when it has spoken until its cluster ends, over a restart of the daemon too', async () => {
      const hosts = open();
      assert.equal(hosts.access(cluster, 0).state, 'waiting');
      await hosts.publicKey(id);
      hosts.note(place, said);
      assert.deepEqual(
        [hosts.access(cluster, 0).state, hosts.access(cluster, 0).workFolder],
        ['available', '/work'],
      );
      const again = open();
      assert.equal(again.access(cluster, 0).state, 'available');
      assert.match(config(again), /^Host hitch-llm-dev$/m);
      again.forget(id);
      again.discardKey(id);
      assert.doesNotMatch(config(again), /Host/);
      assert.equal(existsSync(again.files.identity(id)), false);
    });

    it('drop what ended while no daemon ran', async () => {
      const hosts = open();
      await hosts.publicKey(id);
      hosts.note(place, said);
      const again = open([]);
      assert.doesNotMatch(config(again), /Host/);
      assert.equal(existsSync(again.files.identity(id)), false);
    });

    it('have a proxy that a copy of Hitch takes over only from one that is gone', () => {
      const hosts = open();
      const named = () => programIn(readFileSync(hosts.files.proxy, 'utf8'));
      const mine = join(folder, 'mine.mjs');
      const environment = { HITCH_PROVIDERS: 'local', OTHER_TOKEN: 'secret' };
      writeFileSync(mine, '');
      mendProxy(homeAt(folder), { node: 'node', hitch: mine, environment }, 'linux');
      assert.equal(named(), mine);
      assert.equal(statSync(hosts.files.proxy).mode & 0o777, 0o700);
      const mended = readFileSync(hosts.files.proxy, 'utf8');
      assert.match(mended, /^export HITCH_PROVIDERS='local'$/m);
      assert.doesNotMatch(mended, /secret/);
      writeFileSync(join(folder, 'other.mjs'), '');
      mendProxy(homeAt(folder), { node: 'node', hitch: join(folder, 'other.mjs'), environment }, 'linux');
      assert.equal(named(), mine);
    });

    it('make a cluster’s key once, also when two of its machines ask for it at the same time', async () => {
      const hosts = open();
      const [key, same] = await Promise.all([hosts.publicKey(id), hosts.publicKey(id)]);
      assert.equal(same, key);
      assert.equal(await open().publicKey(id), key);
      assert.equal(statSync(hosts.files.identity(id)).mode & 0o777, 0o600);
    });

    it('keep the pin when the same machine shows another key, and say so', () => {
      const hosts = open();
      hosts.note(place, said);
      hosts.note(place, { ...said, hostKey: 'ssh-ed25519 BBBB' });
      assert.match(hosts.access(cluster, 0).message, /another host key than before/);
      assert.match(readFileSync(hosts.files.knownHosts, 'utf8'), /AAAA/);
      hosts.note(place, said);
      assert.equal(hosts.access(cluster, 0).state, 'available');
    });

    it('take nothing of a machine that would be more than a name or a key to ssh', () => {
      const hosts = open();
      for (const odd of [
        { user: 'root\n  ProxyCommand touch /tmp/in' },
        { user: '-oProxyCommand=x' },
        { user: '$(x)' },
        { user: '' },
        { hostKey: 'ssh-ed25519 AAAA\n* ssh-ed25519 BBBB' },
        { hostKey: '' },
      ]) {
        hosts.note(place, { ...said, ...odd });
        const { state, message } = hosts.access(cluster, 0);
        assert.equal(state, 'unavailable');
        assert.match(message, /^hitch-llm-dev has a name that ssh cannot use/);
        assert.doesNotMatch(config(hosts), /Host/);
      }
    });

    it('take the key of another machine in the same place', () => {
      const hosts = open();
      hosts.note(place, said);
      hosts.note({ ...place, attemptId: 'att_2' }, { ...said, hostKey: 'ssh-ed25519 BBBB' });
      assert.equal(hosts.access(cluster, 0).hostKey, 'ssh-ed25519 BBBB');
    });

    it('lead nowhere in the stead of a machine that was replaced by one without a way in', () => {
      const hosts = open();
      hosts.note(place, said);
      hosts.note({ ...place, attemptId: 'att_2' }, { ...said, available: false, message: 'No sshd.' });
      assert.equal(hosts.access(cluster, 0).message, 'No sshd.');
      assert.doesNotMatch(config(hosts), /Host/);
    });

    it('blame no machine for what was wrong with the one that it replaces', () => {
      const hosts = open();
      const worker = { ...place, nodeIndex: 1, alias: 'hitch-llm-dev.1' };
      hosts.note(place, { ...said, available: false, message: 'No sshd.' });
      hosts.note(worker, { ...said, available: false, message: 'None here.' });
      hosts.forget(id, ({ attemptId, nodeIndex }) => attemptId === 'att_1' && nodeIndex === 1);
      assert.equal(hosts.access(cluster, 0).state, 'waiting');
      assert.equal(hosts.access(cluster, 1).message, 'None here.');
      hosts.note({ ...place, attemptId: 'att_2' }, said);
      assert.equal(hosts.access(cluster, 0).state, 'available');
      assert.equal(hosts.access(cluster, 1).message, 'None here.');
    });

    it('promise nothing where their folder has a name that ssh cannot be told', () => {
      const hosts = new SshHosts({
        home: homeAt(join(folder, 'a$b')),
        log: silentLog,
        program: { node: 'node', hitch: 'hitch.mjs', environment: {} },
      });
      hosts.note(place, said);
      const { state, message } = hosts.access(cluster, 0);
      assert.equal(state, 'unavailable');
      assert.match(message, /^ssh cannot use .*a\$b/);
    });

    it('keep the pin of a machine that has no server for a while', () => {
      const hosts = open();
      hosts.note(place, said);
      hosts.note(place, { ...said, available: false, message: 'No sshd.', hostKey: '' });
      assert.equal(hosts.access(cluster, 0).state, 'unavailable');
      hosts.note(place, { ...said, hostKey: 'ssh-ed25519 BBBB' });
      assert.match(hosts.access(cluster, 0).message, /another host key than before/);
    });

    it('say why there is no way in', () => {
      const hosts = open();
      hosts.note(place, { ...said, available: false, message: 'No sshd.' });
      assert.deepEqual(
        [hosts.access(cluster, 0).state, hosts.access(cluster, 0).message],
        ['unavailable', 'No sshd.'],
      );
      assert.match(hosts.access({ ...cluster, phase: 'stopped' }, 1).message, /does not run/);
    });
  });
});
