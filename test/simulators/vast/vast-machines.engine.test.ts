/** Simulated Vast.ai with machines that are real: what opens them, where, and for how long. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { VirtualClock } from '@hitch/platform/src/clock.ts';
import { generateOpensshKey } from '@hitch/platform/src/openssh-key.ts';
import { needsOpenssh, openssh } from '../../support/openssh.ts';
import { until } from '../../support/waiting.ts';
import { SshdMachines } from '../frame/sshd-machines.ts';
import { VAST_KEY, VastSimulator } from './vast-simulator.ts';

describe('simulated Vast with real machines', function () {
  this.timeout(240_000);
  const clock = new VirtualClock();
  const folder = mkdtempSync(join(tmpdir(), 'hitch-vast-'));
  const [written, attached] = [generateOpensshKey('start-up'), generateOpensshKey('attached')];
  let simulator: VastSimulator;
  let id = 0;

  before(function () {
    needsOpenssh(this);
    simulator = new VastSimulator({ clock, machines: new SshdMachines() });
  });
  after(async () => {
    await (simulator as VastSimulator | undefined)?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const ask = (method: string, path: string, body: unknown) =>
    simulator.handle({
      method,
      path,
      query: new URLSearchParams(),
      headers: { authorization: `Bearer ${VAST_KEY}`, 'user-agent': 'somebody/1.0' },
      body,
    });
  const portNow = (): number | undefined => {
    const contract = simulator.market.contract(id);
    return contract === undefined ? undefined : simulator.ways.wayOf(contract, clock.now())?.port;
  };
  const opens = async (name: string, key: { readonly privateKey: string }): Promise<boolean> => {
    const file = join(folder, name);
    writeFileSync(file, key.privateKey, { mode: 0o600 });
    const options = ['BatchMode=yes', 'StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null'];
    const args = ['-F', 'none', '-i', file, '-p', String(portNow()), ...options.flatMap(one => ['-o', one])];
    return (await openssh('ssh', [...args, '127.0.0.1', 'true'])).code === 0;
  };

  it('lets in what its start-up wrote and what is attached, after hours only the latter', async () => {
    const free = [...simulator.market.asks()].find(one => simulator.market.isFree(one));
    const bought = await ask('PUT', `/api/v0/asks/${(free?.id ?? 0).toString()}/`, {
      image: 'ubuntu:24.04',
      disk: 10,
      onstart: `echo '${written.publicKey}' >> ~/.ssh/authorized_keys`,
    });
    assert.equal(bought.status, 200);
    id = simulator.market.contracts()[0]?.id ?? 0;
    await ask('POST', `/api/v0/instances/${id.toString()}/ssh/`, { ssh_key: attached.publicKey });
    await until('it runs', () => portNow() !== undefined);
    await until('the attached key opens it', () => opens('attached', attached));
    assert.ok(await opens('written', written));
    assert.ok(clock.step(), 'hours pass');
    await until('its keys are written anew', async () => !(await opens('written', written)));
    assert.ok(await opens('attached', attached));
  });

  it('is at another port when it was started again, and gone when it is destroyed', async () => {
    const before = portNow();
    await ask('PUT', `/api/v0/instances/reboot/${id.toString()}/`, {});
    await until('it runs elsewhere', () => portNow() !== undefined && portNow() !== before);
    await until('the attached key opens it', () => opens('attached', attached));
    const at = portNow();
    await ask('DELETE', `/api/v0/instances/${id.toString()}/`, {});
    assert.equal(portNow(), undefined);
    const { code } = await openssh('ssh', [
      '-F',
      'none',
      '-o',
      'BatchMode=yes',
      '-p',
      String(at),
      '127.0.0.1',
    ]);
    assert.notEqual(code, 0);
  });
});
