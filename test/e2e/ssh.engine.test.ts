/**
 * The way in by ssh, with the real ssh, scp and sshd: how a person's configuration comes to lead to a cluster, what goes
 * over it, what it refuses, and that nothing of it is left. One cluster, one timeline.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { chmodSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Cluster, SshAccess } from '@hitch/contract';
import * as z from 'zod';
import { readSettings } from '../../backend-proxy/src/access/ssh/check.ts';
import { DaemonHome } from '../support/daemon-home.ts';
import { needsOpenssh, openssh, type Said } from '../support/openssh.ts';
import { needsRealNodes, runs, sendSignal } from '../support/processes.ts';
import { until } from '../support/waiting.ts';

const BIG_BYTES = 100 * 1024 * 1024;
const RECONNECTS = 10;
/** Of each setting `ssh` takes the first value that it meets, so none of these may count for our hosts. */
const EVERY_HOST = [
  'User nobody',
  'Port 2222',
  'ProxyJump bastion',
  'ProxyUseFdpass yes',
  'StrictHostKeyChecking no',
  'CanonicalizeHostname always',
  'VerifyHostKeyDNS yes',
  'PubkeyAuthentication no',
  'PubkeyAcceptedKeyTypes rsa-sha2-512',
  'IdentityAgent /nonexistent/agent',
  'AddKeysToAgent yes',
  'ForwardAgent yes',
  'ForwardX11 yes',
  'Tunnel yes',
  'PermitLocalCommand yes',
  'LocalCommand false',
];
const USERS_OWN = `Host *\n  ${EVERY_HOST.join('\n  ')}\n\n# the last line has no end`;
const machineSchema = z.object({ agent: z.object({ pid: z.number() }) });

const sha256 = (file: string): string => createHash('sha256').update(readFileSync(file)).digest('hex');

describe('a cluster reached by ssh', function () {
  this.timeout(300_000);
  // A name that ssh would take for a pattern.
  const root = mkdtempSync(join(tmpdir(), 'he [x] -*'));
  const home = new DaemonHome({ HITCH_PROVIDERS: 'local,sandbox' }, root);
  let person = '';
  let userFile = '';
  let cluster: Cluster;
  let access: SshAccess;
  const conversations: ChildProcess[] = [];

  const state = (): string => join(home.machineFolder(cluster.nodes[0]?.attempts[0]?.ref ?? ''), 'state');
  const ssh = (...args: readonly string[]): Promise<Said> => openssh('ssh', ['-F', userFile, ...args]);
  const available = (): Promise<SshAccess> =>
    until('ssh is available', async () => {
      const seen = await home.api.ssh.access({ clusterId: cluster.id });
      assert.notEqual(seen.state, 'unavailable', seen.message);
      return seen.state === 'available' ? seen : null;
    });

  /** Goes on until it is told to end. */
  const conversation = (...args: readonly string[]) => {
    const child = spawn('/usr/bin/ssh', ['-F', userFile, ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
    let text = '';
    child.stdout.on('data', (bytes: Buffer) => (text += bytes.toString()));
    conversations.push(child);
    return { child, shown: () => text };
  };
  const echoing = async () => {
    const echo = conversation(access.alias, 'cat');
    echo.child.stdin.write('before\n');
    await until('it echoes', () => echo.shown() === 'before\n');
    return echo;
  };

  before(async function () {
    needsRealNodes(this);
    needsOpenssh(this);
    person = join(home.make().root, 'person');
    userFile = join(person, '.ssh', 'config');
    mkdirSync(join(person, 'dotfiles'), { recursive: true });
    mkdirSync(join(person, '.ssh'), { mode: 0o700 });
    writeFileSync(join(person, 'dotfiles', 'ssh config'), USERS_OWN);
    chmodSync(join(person, 'dotfiles', 'ssh config'), 0o604);
    symlinkSync('../dotfiles/ssh config', userFile);
    await home.start({ HOME: person });
    const rented = await home.rent({ filter: { providers: ['local'] } }, 'by-ssh');
    cluster = rented;
    await home.untilKernel(rented.id);
    cluster = await home.cluster(rented.id);
    access = await available();
  });

  after(async () => {
    conversations.forEach(child => child.kill('SIGKILL'));
    await home.dispose();
  });

  it('puts one line into the user’s file, through a link, and keeps its mode and every other byte', async () => {
    const before = await home.api.ssh.config({});
    assert.deepEqual([before.included, before.userFile, before.aliases], [false, userFile, ['hitch-by-ssh']]);
    const target = join(person, 'dotfiles', 'ssh config');
    for (const _ of [1, 2]) {
      const after = await home.api.ssh.include({ yes: true });
      assert.equal(after.included, true);
      assert.equal(readFileSync(target, 'utf8'), `${after.includeLine}\n${USERS_OWN}`);
    }
    assert.ok(lstatSync(userFile).isSymbolicLink());
    assert.equal(statSync(target).mode & 0o7777, 0o604);
    assert.deepEqual(readdirSync(join(person, 'dotfiles')), ['ssh config']);
  });

  it('has ssh itself confirm that it reads the entry as it was written, whatever the user says of every host', async () => {
    const asItWas = join(person, 'as it was');
    writeFileSync(asItWas, USERS_OWN);
    assert.deepEqual(await home.api.ssh.check({ clusterId: cluster.id }), { ok: true, differences: [] });
    const { stdout } = await ssh('-G', access.alias);
    for (const line of ['stricthostkeychecking true', 'forwardagent no', `user ${access.user}`]) {
      assert.ok(stdout.includes(`${line}\n`), `${line} in ${stdout}`);
    }
    const ours = readSettings((await openssh('ssh', ['-F', access.configFile, '-G', access.alias])).stdout);
    const taken = [...readSettings(stdout)].filter(([key, value]) => ours.get(key) !== value);
    // Without a way through the network a port is only a number, and a command that may not run is only text.
    assert.deepEqual(
      taken.map(([key]) => key),
      ['port', 'localcommand'],
    );
    const { ok, differences } = await home.api.ssh.check({ clusterId: cluster.id, file: asItWas });
    assert.equal(ok, false);
    assert.ok(
      differences.some(line => line.includes('StrictHostKeyChecking')),
      differences.join('\n'),
    );
  });

  it('asks on the command line before it writes, says what it did, and takes it back', async () => {
    const other = join(person, 'by hand');
    writeFileSync(other, USERS_OWN);
    const run = (...words: readonly string[]) => home.cli(['ssh-config', ...words, '--file', other]);
    const shown = await run();
    assert.deepEqual([shown.code, readFileSync(other, 'utf8')], [0, USERS_OWN]);
    assert.match(shown.stdout, /does not include Hitch’s hosts[^]*ssh hitch-by-ssh/);
    const unasked = await run('write');
    assert.deepEqual([unasked.code, readFileSync(other, 'utf8')], [6, USERS_OWN]);
    assert.match(unasked.stderr, /was not changed without asking you/);
    const written = await run('write', '--yes');
    assert.equal(written.code, 0, written.stderr);
    assert.match(readFileSync(other, 'utf8'), /^Include "/);
    assert.equal((await openssh('ssh', ['-F', other, access.alias, 'true'])).code, 0);
    assert.equal((await run('remove')).code, 0);
    assert.equal(readFileSync(other, 'utf8'), USERS_OWN);
    await assert.rejects(home.api.ssh.config({ file: 'relative/path' }), { code: 'BAD_INPUT' });
  });

  it('takes the line back when ssh would not read the file with it', async () => {
    const refusing = join(person, 'refusing');
    writeFileSync(refusing, 'Host *\n  User nobody\n');
    const own = readFileSync(access.configFile, 'utf8');
    writeFileSync(access.configFile, `${own}\nNoSuchKeyword yes\n`, { mode: 0o600 });
    await assert.rejects(home.api.ssh.include({ file: refusing, yes: true }), /was taken out again/);
    assert.equal(readFileSync(refusing, 'utf8'), 'Host *\n  User nobody\n');
    writeFileSync(access.configFile, own, { mode: 0o600 });
  });

  it('keeps its own files to their owner', () => {
    const { ssh: folder } = home.home;
    const files = ['config', 'known_hosts', 'proxy', 'pins.json', join('keys', cluster.id)];
    for (const file of [folder, join(folder, 'keys'), ...files.map(name => join(folder, name))]) {
      assert.equal(statSync(file).mode & 0o077, 0, file);
    }
    assert.equal(statSync(join(folder, 'proxy')).mode & 0o7777, 0o700);
  });

  it('runs commands in the work folder, tagged as the node’s, with the exit code and both streams', async () => {
    const said = await ssh(access.alias, 'pwd; echo "$HITCH_NODE"; echo to-stderr >&2; exit 7');
    const ref = cluster.nodes[0]?.attempts[0]?.ref ?? '';
    assert.deepEqual(said.stdout.trim().split('\n'), [access.workFolder, ref], said.stderr);
    assert.match(said.stderr, /to-stderr/);
    assert.equal(said.code, 7);
  });

  it('opens a login shell in the work folder too', async () => {
    const { child, shown } = conversation('-tt', access.alias);
    child.stdin.write('echo "at:$PWD:" && test -t 0 && echo with-a-terminal\nexit\n');
    await new Promise(resolve => child.once('close', resolve));
    assert.ok(shown().includes(`at:${access.workFolder}:`), shown());
    assert.match(shown(), /^with-a-terminal/m);
  });

  it('carries what editors forward', async () => {
    const { baseUrl } = home.place();
    const { child, shown } = conversation('-W', new URL(baseUrl).host, access.alias);
    child.stdin.write('GET / HTTP/1.1\r\nHost: elsewhere\r\nConnection: close\r\n\r\n');
    await until('an answer has come through', () => shown().includes('FORBIDDEN_ORIGIN'));
    child.kill();
  });

  it('carries bytes through the daemon too, for whoever cannot reach the machine’s agent by itself', async () => {
    const { baseUrl, token } = home.place();
    const headers = { authorization: `Bearer ${token}`, connection: 'Upgrade', upgrade: 'ssh' };
    const said = await new Promise<string>((resolve, reject) => {
      const asking = request(`${baseUrl}/ssh/${access.alias}`, { agent: false, headers });
      asking.once('error', reject).once('response', answer => reject(new Error(String(answer.statusCode))));
      asking.once('upgrade', (_answer, socket, head) => {
        let text = head.toString('latin1');
        socket.on('data', (bytes: Buffer) => (text += bytes.toString('latin1')));
        socket.write('SSH-1.0-too_old\r\n');
        socket.once('close', () => resolve(text));
      });
      asking.end();
    });
    assert.match(said, /^SSH-2\.0-OpenSSH/);
    assert.match(said, /Protocol major versions differ/);
  });

  it(`connects ${RECONNECTS.toString()} times in a row, and to all of them at once`, async () => {
    const pids = () => ssh(access.alias, 'echo $PPID');
    const seen = new Set<string>();
    for (let round = 0; round < RECONNECTS; round++) {
      const said = await pids();
      assert.equal(said.code, 0, said.stderr);
      seen.add(said.stdout.trim());
    }
    assert.equal(seen.size, RECONNECTS);
    const together = await Promise.all([pids(), pids(), pids(), pids()]);
    assert.deepEqual(
      together.map(({ code }) => code),
      [0, 0, 0, 0],
    );
  });

  it('copies 100 MB there and back, byte for byte, into the work folder', async () => {
    const big = join(person, 'big.bin');
    writeFileSync(big, randomBytes(BIG_BYTES));
    const there = await openssh('scp', ['-q', '-F', userFile, big, `${access.alias}:big.bin`]);
    assert.equal(there.code, 0, there.stderr);
    assert.equal(sha256(join(access.workFolder, 'big.bin')), sha256(big));
    const back = join(person, 'back.bin');
    const again = await openssh('scp', ['-q', '-F', userFile, `${access.alias}:big.bin`, back]);
    assert.equal(again.code, 0, again.stderr);
    assert.equal(sha256(back), sha256(big));
  });

  it('lets nobody in with another key', async () => {
    const other = join(person, 'other key');
    assert.equal((await openssh('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', other])).code, 0);
    const alone = join(person, 'alone');
    const own = readFileSync(access.configFile, 'utf8');
    writeFileSync(alone, own.replace(/IdentityFile .*/, `IdentityFile "${other}"`), { mode: 0o600 });
    const refused = await openssh('ssh', ['-F', alone, access.alias, 'true']);
    assert.equal(refused.code, 255);
    assert.match(refused.stderr, /Permission denied \(publickey\)/);
  });

  it('goes on while the agent is killed and another takes over', async () => {
    const { child, shown } = await echoing();
    const agentPid = (): number =>
      machineSchema.parse(JSON.parse(readFileSync(join(state(), '..', 'machine.json'), 'utf8'))).agent.pid;
    const pid = agentPid();
    sendSignal(pid, 'SIGKILL');
    await until('another agent runs', () => agentPid() !== pid && runs(agentPid()), 120_000);
    child.stdin.write('after\n');
    await until('it still echoes', () => shown() === 'before\nafter\n');
    child.stdin.end();
    assert.equal(await new Promise(resolve => child.once('close', resolve)), 0);
    await until('new connections are made again', async () => (await ssh(access.alias, 'true')).code === 0);
  });

  it('goes on while the daemon ends and another starts', async () => {
    const { child, shown } = await echoing();
    await home.stop();
    child.stdin.write('between\n');
    await until('it still echoes', () => shown() === 'before\nbetween\n');
    await home.start({ HOME: person });
    child.stdin.end('after\n');
    assert.equal(await new Promise(resolve => child.once('close', resolve)), 0);
    assert.equal(shown(), 'before\nbetween\nafter\n');
    access = await available();
  });

  it('needs no daemon that runs: the proxy starts it, as after a restart of the computer', async () => {
    await home.stop();
    const said = await ssh(access.alias, 'echo here');
    assert.equal(said.stdout.trim(), 'here', said.stderr);
    assert.equal((await home.cluster(cluster.id)).name, 'by-ssh');
    // As before, so that the rest of this test has its own daemon.
    home.daemons().forEach(pid => sendSignal(pid, 'SIGTERM'));
    await until('that daemon has ended', () => home.daemons().length === 0);
    await home.start({ HOME: person });
    access = await available();
  });

  it('refuses a machine that shows another host key, in ssh and in a sentence', async () => {
    const key = join(state(), 'ssh', 'host_key');
    const [privateKey, publicKey] = [readFileSync(key), readFileSync(`${key}.pub`)];
    rmSync(key);
    assert.equal(
      (await openssh('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', `${key}.other`])).code,
      0,
    );
    writeFileSync(key, readFileSync(`${key}.other`), { mode: 0o600 });
    writeFileSync(`${key}.pub`, readFileSync(`${key}.other.pub`, 'utf8').split(' ').slice(0, 2).join(' '));
    const said = await ssh(access.alias, 'echo in');
    assert.equal(said.code, 255);
    assert.equal(said.stdout, '');
    assert.match(said.stderr, /REMOTE HOST IDENTIFICATION HAS CHANGED/);
    await home.stop();
    await home.start({ HOME: person });
    const seen = await until('the daemon has asked the machine', async () => {
      const asked = await home.api.ssh.access({ clusterId: cluster.id });
      return asked.state === 'unavailable' ? asked : null;
    });
    assert.match(seen.message, /another host key than before/);
    assert.ok(readFileSync(join(home.home.ssh, 'known_hosts'), 'utf8').includes(access.hostKey));
    writeFileSync(key, privateKey, { mode: 0o600 });
    writeFileSync(`${key}.pub`, publicKey);
    assert.equal((await ssh(access.alias, 'true')).code, 0);
  });

  it('says in one sentence why there is no way to a host', async () => {
    for (const [host, sentence] of [
      ['hitch-nobody', /There is no cluster that ssh would call hitch-nobody/],
      ['hitch-by-ssh.7', /by-ssh has no node 7/],
    ] as const) {
      const said = await openssh('ssh', [
        '-F',
        '/dev/null',
        '-o',
        `ProxyCommand="${join(home.home.ssh, 'proxy')}" ${host}`,
        host,
      ]);
      assert.equal(said.code, 255);
      assert.match(said.stderr, sentence);
    }
  });

  it('leads to every machine of a cluster, each with a key and a tag of its own', async () => {
    const { id } = await home.rent({ nodes: 2, filter: { practice: 'only' } }, 'two');
    const worker = await until('the second machine has said how it is reached', async () => {
      const seen = await home.api.ssh.access({ clusterId: id, nodeIndex: 1 }).catch(() => null);
      return seen?.state === 'available' ? seen : null;
    });
    assert.equal(worker.alias, 'hitch-two.1');
    const said = await ssh(worker.alias, 'echo "$HITCH_NODE"; pwd');
    const node = (await home.cluster(id)).nodes.find(({ index }) => index === 1);
    assert.deepEqual(
      said.stdout.trim().split('\n'),
      [node?.attempts.at(-1)?.ref, worker.workFolder],
      said.stderr,
    );
    const head = await home.api.ssh.access({ clusterId: id });
    assert.notEqual(head.hostKey, worker.hostKey);
    await home.stopCluster(id);
    assert.deepEqual((await home.api.ssh.config({})).aliases, [access.alias]);
  });

  it('takes its entry, its key and everything that was started over it along when the cluster stops', async () => {
    const started = await ssh(access.alias, 'setsid nohup sleep 1234 >/dev/null 2>&1 & echo $!');
    const pid = Number(started.stdout.trim());
    assert.ok(runs(pid), started.stderr);
    const { child: open } = conversation('-N', access.alias);
    const ended = new Promise(resolve => open.once('close', resolve));
    await home.stopCluster(cluster.id);
    await ended;
    assert.equal(runs(pid), false);
    assert.deepEqual(home.leftovers([await home.cluster(cluster.id)]), []);
    assert.doesNotMatch(readFileSync(access.configFile, 'utf8'), /Host /);
    assert.equal(readFileSync(join(home.home.ssh, 'known_hosts'), 'utf8'), '');
    assert.equal(existsSync(join(home.home.ssh, 'keys', cluster.id)), false);
    const after = await home.api.ssh.access({ clusterId: cluster.id });
    assert.equal(after.state, 'unavailable');
    assert.match(after.message, /does not run/);
  });

  it('takes the line out of the user’s file again', async () => {
    const { included } = await home.api.ssh.exclude({ yes: true });
    assert.equal(included, false);
    assert.equal(readFileSync(userFile, 'utf8'), USERS_OWN);
    assert.equal(statSync(userFile).mode & 0o7777, 0o604);
  });
});
