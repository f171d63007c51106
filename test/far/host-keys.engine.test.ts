/** Whose key answers at a rented machine: real ssh, real sshd, and one in the middle that passes everything on. */
import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@hitch/platform/src/clock.ts';
import { generateOpensshKey } from '@hitch/platform/src/openssh-key.ts';
import { systemRandom } from '@hitch/platform/src/random.ts';
import type { Host } from '../../backend-proxy/src/access/host.ts';
import { FarShells } from '../../backend-proxy/src/access/tunnel/far-shells.ts';
import type { SshAddress } from '../../backend-proxy/src/ledger/records.ts';
import { FarHosts, type FarMachine as Machine } from '../../backend-proxy/src/machines/far/far-hosts.ts';
import { type Rental, rentalSchema } from '../../backend-proxy/src/providers/sandbox/market-storage.ts';
import { SshdRuntime } from '../../backend-proxy/src/providers/sandbox/sshd-runtime.ts';
import { FarMachine } from '../support/far-machine.ts';
import { needsOpenssh } from '../support/openssh.ts';

const { signal } = new AbortController();
type Rented = Extract<SshAddress, { kind: 'rented' }>;
const SECRET = 'ab'.repeat(32);

describe('the host key of a rented machine', function suite() {
  this.timeout(180_000);
  const key = generateOpensshKey('the renter');
  let folder: string;
  let runtime: SshdRuntime;
  let shells: FarShells;
  let far: FarHosts;
  let rentals: Rental[];
  let between: FarMachine | null;

  before(function check() {
    needsOpenssh(this);
  });

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hk-'));
    writeFileSync(join(folder, 'key'), key.privateKey, { mode: 0o600 });
    runtime = new SshdRuntime({ folder: join(folder, 'm'), clock: systemClock });
    const sockets = join(folder, 's');
    shells = new FarShells({ clock: systemClock, random: systemRandom, sockets, shared: true });
    far = new FarHosts({
      clock: systemClock,
      shells,
      ownTarget: name => ({ name, destination: name, settings: [], configFile: 'none' }),
      folder: join(folder, 'known'),
      webProxy: '/nobody-goes-by-the-web-here',
      keyOf: () => join(folder, 'key'),
    });
    rentals = [];
    between = null;
  });

  afterEach(async () => {
    await shells?.close();
    await between?.dispose();
    await Promise.all((rentals ?? []).map(rental => runtime.end(rental)));
    rmSync(folder, { recursive: true, force: true });
  });

  /** @param proof what is put into its environment */
  async function rent(ref: string, proof: string | null): Promise<Rented> {
    const rental = rentalSchema.parse({
      id: 'sbx-1',
      ref,
      entryId: 'cpu-001',
      pricePerHourMicroUsd: '0',
      nonRefundableMicroUsd: '0',
      letIn: { publicKey: key.publicKey, proof },
      boughtAtMs: 0,
      readyAtMs: 0,
      visibleAtMs: 0,
      endAtMs: null,
      preemptAtMs: null,
      destroyAtMs: null,
      destroyTries: 0,
      lie: null,
      endedAtMs: null,
    });
    rentals.push(rental);
    return runtime.ssh(rental, 0);
  }

  const keyOf = (ref: string): string => readFileSync(join(folder, 'm', ref, 'host.pub'), 'utf8').trim();
  const logins = (ref: string): number =>
    readFileSync(join(folder, 'm', ref, 'sshd.log'), 'utf8').split('Accepted ').length - 1;
  const wasLetIn = (ref: string): boolean => logins(ref) > 0;

  const reach = (
    ref: string,
    ssh: SshAddress,
    more: Partial<Machine> = {},
    given: AbortSignal = signal,
  ): Promise<Host> =>
    far.host(
      {
        clusterId: 'clu_keys',
        ref,
        ssh,
        known: null,
        secret: SECRET,
        promised: null,
        privateAddress: null,
        ...more,
      },
      given,
    );

  /** Another sshd with a key of its own, which is let in there and passes on whatever it is told. */
  async function standBetween({ port, user }: Rented): Promise<Rented> {
    between = await FarMachine.start({ sshd: ['ForceCommand /bin/sh "$FAR_MACHINE/pass-on"'] });
    const theirs = join(between.folder, 'theirs');
    writeFileSync(theirs, key.privateKey);
    // ssh minds who else may read a key only where it is its user's own.
    chmodSync(theirs, between.hasUser ? 0o644 : 0o600);
    const settings = '-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o IdentitiesOnly=yes';
    writeFileSync(
      join(between.folder, 'pass-on'),
      `exec ssh -F none -T ${settings} -i ${theirs} -p ${port.toString()} ${user}@127.0.0.1 -- "$SSH_ORIGINAL_COMMAND"\n`,
    );
    writeFileSync(join(between.folder, 'authorized_keys'), `${key.publicKey}\n`);
    return { kind: 'rented', host: '127.0.0.1', port: between.port, user: between.user, hostKeys: null };
  }

  it('is believed where the machine proves it by the secret that it was rented with', async () => {
    const ssh = await rent('hitch-proved', SECRET);
    const host = await reach('hitch-proved', ssh);
    assert.equal(host.address.hostKey, keyOf('hitch-proved'));
    assert.equal(host.address.proof, 'proved');
    assert.ok((await host.facts(signal)).cpuCores > 0);
  });

  it('is refused where somebody in the middle passes the question on', async () => {
    const real = await rent('hitch-real', SECRET);
    const middle = await standBetween(real);
    await assert.rejects(
      reach('hitch-real', middle),
      /The host key of .* is refused: it is not the key of the machine that was rented; somebody may be in between\. Nothing of yours was sent\./,
    );
    assert.ok(wasLetIn('hitch-real'), 'the question was passed on to the real machine, and answered there');
    assert.equal((await reach('hitch-real', real)).address.proof, 'proved', 'the real one is believed');
  });

  it('is refused where a machine that was given a secret does not know it', async () => {
    const other = await rent('hitch-other', null);
    await assert.rejects(reach('hitch-other', other), /is refused: the machine does not have the secret/);
    const wrong = await rent('hitch-wrong', 'cd'.repeat(32));
    await assert.rejects(reach('hitch-wrong', wrong), /is refused: it is not the key of the machine/);
  });

  it('is kept as it answered first, and said to be unproved, where nothing could be put into the machine', async () => {
    const ssh = await rent('hitch-plain', null);
    const { address } = await reach('hitch-plain', ssh, { secret: null });
    assert.equal(address.hostKey, keyOf('hitch-plain'));
    assert.equal(address.proof, 'first_contact');
  });

  it('is learnt at one contact by all who come at once; who gives up ends that of nobody else', async () => {
    const ssh = await rent('hitch-once', SECRET);
    const given = new AbortController();
    const all = ['', '', ''].map(() => reach('hitch-once', ssh));
    const other = reach('hitch-once', ssh, {}, given.signal);
    given.abort(new Error('given up'));
    await assert.rejects(other, /given up/);
    const hosts = await Promise.all(all);
    assert.deepEqual(
      hosts.map(({ address: { hostKey, proof } }) => [hostKey, proof]),
      hosts.map(() => [keyOf('hitch-once'), 'proved']),
    );
    assert.equal(logins('hitch-once'), 1);
  });

  it('is proved over the connection that everything goes over from then on', async () => {
    const ssh = await rent('hitch-kept', SECRET);
    const host = await reach('hitch-kept', ssh);
    assert.equal(host.way?.isOpen, true);
    await host.facts(signal);
    assert.equal(logins('hitch-kept'), 1);
    const { address } = host;
    const elsewhere = await reach('hitch-kept', ssh, { known: { ...address, hostKey: key.publicKey } });
    assert.equal(elsewhere.way?.isOpen, false, 'where another key is believed, it is no way');
    await assert.rejects(elsewhere.facts(signal), /shows another host key/);
  });

  it('is learnt by each of two who come at once to different addresses of one machine', async () => {
    const ssh = await rent('hitch-moves', SECRET);
    const hosts = await Promise.all(
      ['127.0.0.1', 'localhost'].map(host => reach('hitch-moves', { ...ssh, host })),
    );
    assert.deepEqual(
      hosts.map(({ address }) => address.proof),
      ['proved', 'proved'],
    );
  });

  it('is the one that the network names, and no other', async () => {
    const ssh = await rent('hitch-named', SECRET);
    const named = await reach('hitch-named', { ...ssh, hostKeys: [keyOf('hitch-named')] });
    assert.equal(named.address.proof, 'named');
    assert.ok((await named.facts(signal)).cpuCores > 0);
    const claimed = await reach('hitch-false', { ...ssh, hostKeys: [key.publicKey] });
    await assert.rejects(claimed.facts(signal), /shows another host key/);
  });

  it('is refused at an address that another machine has by now, and nothing is sent there', async () => {
    const first = await rent('hitch-first', SECRET);
    const { address } = await reach('hitch-first', first);
    const second = await rent('hitch-second', SECRET);
    const host = await reach('hitch-first', second, { known: address });
    for (const use of [() => host.facts(signal), () => host.connect(signal)]) {
      await assert.rejects(
        use,
        /shows another host key than the rented machine \(SHA256:.*\): another machine may have its address by now, or somebody is in between\. It was refused and nothing was sent; the network is asked/,
      );
    }
    assert.equal(wasLetIn('hitch-second'), false);
  });

  it('is asked for by the key that is known, wherever the machine is by now', async () => {
    const ssh = await rent('hitch-moved', SECRET);
    const { address } = await reach('hitch-moved', ssh);
    const known = { ...address, at: 'ada@192.0.2.1' };
    const host = await reach('hitch-moved', ssh, { known, secret: null });
    assert.equal(host.address.proof, 'proved', 'it was proved once');
    assert.ok((await host.facts(signal)).cpuCores > 0);
  });

  it('takes nothing from a network that is no address', async () => {
    for (const change of [
      { host: '-oProxyCommand=touch /tmp/x' },
      { host: 'a b' },
      { user: '-l root' },
      { user: 'a\nHost *' },
      { port: 70_000 },
    ]) {
      const ssh: Rented = {
        kind: 'rented',
        host: '127.0.0.1',
        port: 22,
        user: 'ada',
        hostKeys: null,
        ...change,
      };
      await assert.rejects(reach('hitch-odd', ssh), /which is no address\./);
    }
  });
});
