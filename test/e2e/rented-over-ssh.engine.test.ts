/**
 * A machine that is rented and reached by ssh alone, from the yes to nothing left: proved by the secret it was bought with,
 * reached again while its network is down and the daemon was killed, and refused where another one has its address.
 */
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Cluster } from '@hitch/contract';
import { homeAt } from '@hitch/platform/src/paths.ts';
import { generateOpensshKey } from '@hitch/platform/src/openssh-key.ts';
import * as z from 'zod';
import { speaksFirst, startSshd } from '../../backend-proxy/src/providers/sandbox/sshd-process.ts';
import { DaemonHome } from '../support/daemon-home.ts';
import { NotebookPage, startKernel } from '../support/notebook-page.ts';
import { needsOpenssh } from '../support/openssh.ts';
import { needsRealNodes, nodeProcesses, runs, sendSignal } from '../support/processes.ts';
import { privateKeysOf, secretsOn } from '../support/secrets-on.ts';
import { until } from '../support/waiting.ts';

/** For longer than anybody here waits. */
const DOWN = {
  HITCH_SANDBOX_FAULTS: JSON.stringify({ rules: [{ fault: 'outage', durationMs: 24 * 3_600_000 }] }),
};
const ACCOUNT_KEY = 'practice-key-that-no-machine-may-hold';
const UNMARKED = 'a-secret-that-no-cluster-was-given';
const machineSchema = z.object({ port: z.number(), sshd: z.object({ pid: z.number() }) });

describe('a rented machine that only ssh leads to', function () {
  this.timeout(900_000);
  const home = new DaemonHome({
    HITCH_PROVIDERS: 'sandbox',
    HITCH_SANDBOX_RUNTIME: 'sshd',
    HITCH_SANDBOX_ACCOUNT: JSON.stringify({ keys: [{ key: ACCOUNT_KEY }] }),
  });
  let cluster: Cluster | undefined;
  let page: NotebookPage | undefined;
  let kernelId = '';
  let stranger: ChildProcess | undefined;

  before(async function () {
    needsOpenssh(this);
    needsRealNodes(this);
    await home.start();
    await home.api.networks.login({ provider: 'sandbox', values: { apiKey: ACCOUNT_KEY } });
    await home.api.secrets.set({ name: 'UNMARKED_TOKEN', value: UNMARKED });
  });

  after(async () => {
    stranger?.kill('SIGKILL');
    page?.leave();
    await home.api.networks.logout({ provider: 'sandbox' }).catch(() => undefined);
    await home.api.secrets.remove({ name: 'UNMARKED_TOKEN' }).catch(() => undefined);
    await home.dispose();
  });

  const rented = (): Cluster => {
    assert.ok(cluster !== undefined);
    return cluster;
  };
  const ref = (): string => rented().nodes[0]?.attempts[0]?.ref ?? '';
  const folder = (): string => join(home.root, 'sshd', ref());
  const machine = (): z.infer<typeof machineSchema> =>
    machineSchema.parse(JSON.parse(readFileSync(join(folder(), 'machine.json'), 'utf8')));
  const events = () => home.api.clusters.events({ clusterId: rented().id, limit: 1000 });

  const isBack = async (): Promise<void> => {
    page = await until(
      'its page is open again',
      () => NotebookPage.open(home, rented(), kernelId).catch(() => null),
      240_000,
    );
    assert.equal(await page.result('print(kept)'), '42\n');
    await home.untilCluster(rented().id, 'it is ready', ({ phase }) => phase === 'ready');
  };

  it('is set up over ssh, with a host key that it proved', async () => {
    const { id } = await home.rent({ filter: { practice: 'only' }, engine: 'single', idleMs: 0 }, 'far');
    cluster = await home.untilCluster(id, 'it is ready', ({ phase }) => phase === 'ready', 420_000);
    assert.deepEqual(home.machines(), [], 'it is no process of this home');
    assert.deepEqual(home.behindSshd(), [ref()]);
    const config = readFileSync(join(folder(), 'sshd_config'), 'utf8');
    assert.match(config, /^SetEnv .*HITCH_PROOF=[0-9a-f]{64}/m);
    assert.ok(
      !(await events()).some(({ value }) => value === 'host_key'),
      'nothing is to be said of its key',
    );
    assert.ok(!rented().nodes[0]?.machine?.warnings.includes('host key not proved'));
    kernelId = await startKernel(home, rented());
    page = await NotebookPage.open(home, rented(), kernelId);
    assert.equal(await page.result('kept = 41 + 1\nprint(kept)'), '42\n');
  });

  it('holds no login of its network, no secret that was not given to it, and nothing that opens anything', async () => {
    const { token } = home.place();
    const opens = [ACCOUNT_KEY, UNMARKED, token, ...privateKeysOf(homeAt(home.root))];
    const there = { home: folder(), processes: () => nodeProcesses(ref()) };
    assert.ok(there.processes().length > 1, 'its sshd, and what the cluster runs there');
    assert.deepEqual(await secretsOn(there, opens), []);
    const given = await home.api.networks.list();
    assert.equal(given.find(({ id }) => id === 'sandbox')?.login?.state, 'present');
    const proof = /HITCH_PROOF=([0-9a-f]{64})/.exec(readFileSync(join(folder(), 'sshd_config'), 'utf8'))?.[1];
    assert.ok(proof !== undefined);
    assert.notDeepEqual(await secretsOn(there, [proof]), [], 'what is there is found');
  });

  it('is back at its last address by the key that is known, while its network is down and the daemon was killed', async () => {
    page?.leave();
    await home.kill();
    await home.start(DOWN);
    await isBack();
    assert.ok(!(await events()).some(({ kind, value }) => kind === 'node' && value === 'unreachable'));
  });

  it('is not taken for another one that has its address by now, which is told nothing', async () => {
    page?.leave();
    await home.kill();
    const { port, sshd } = machine();
    sendSignal(sshd.pid, 'SIGKILL');
    await until('its sshd is gone', () => !runs(sshd.pid));
    const heard = await aStranger(port);
    await home.start(DOWN);
    const { nodes } = await home.untilCluster(rented().id, 'it is refused', ({ nodes: [node] }) =>
      /another host key/.test(node?.message ?? ''),
    );
    assert.match(
      nodes[0]?.message ?? '',
      /shows another host key than the rented machine \(SHA256:.*\): another machine may have its address by now, or somebody is in between\. It was refused and nothing was sent; the network is asked where the machine is\./,
    );
    assert.equal(nodes[0]?.phase, 'unreachable');
    assert.doesNotMatch(heard(), /Accepted/);
  });

  it('is reached again where the network says that it is', async () => {
    await home.kill();
    const gone = new Promise(resolve => stranger?.once('exit', resolve));
    stranger?.kill('SIGKILL');
    await gone;
    await home.start();
    await isBack();
  });

  it('is ended, and nothing of it is left', async () => {
    page?.leave();
    const over = await home.stopCluster(rented().id);
    assert.equal(over.conditions.cleanup.status, 'yes', over.message);
    assert.ok(home.ledger().every(({ endedAtMs }) => endedAtMs !== null));
    assert.equal(existsSync(folder()), false);
    await until('nothing runs there', () => nodeProcesses(ref()).length === 0);
    assert.deepEqual(home.leftovers([over]), []);
  });

  /** Another machine at that port: it would let the cluster's key in. @returns what its sshd has noted */
  async function aStranger(port: number): Promise<() => string> {
    const [key, log, config] = ['other', 'other.log', 'other_config'].map(name => join(home.root, name));
    assert.ok(key !== undefined && log !== undefined && config !== undefined);
    writeFileSync(key, generateOpensshKey('another machine').privateKey, { mode: 0o600 });
    const settings = readFileSync(join(folder(), 'sshd_config'), 'utf8');
    writeFileSync(config, settings.replace(/^HostKey .*$/m, `HostKey ${key}`));
    const other = startSshd({ config, log });
    stranger = other;
    await until('the other machine answers', () => {
      assert.equal(other.exitCode, null, existsSync(log) ? readFileSync(log, 'utf8') : '');
      return speaksFirst(port);
    });
    return () => readFileSync(log, 'utf8');
  }
});
