/** Machines that cannot be reached by ssh, each with the sentence that a person reads. */
import assert from 'node:assert/strict';
import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { needsOpenssh } from '../support/openssh.ts';
import { until } from '../support/waiting.ts';
import { refusal, Ways } from '../support/ways.ts';

const { signal } = new AbortController();

describe('a machine that ssh does not reach says', function suite() {
  this.timeout(240_000);
  let ways: Ways;

  before(function check() {
    needsOpenssh(this);
  });
  beforeEach(() => {
    ways = new Ways();
  });
  afterEach(() => ways.end());

  it('that nobody answers', async () => {
    const machine = await ways.machine();
    await machine.halt();
    const { message } = await refusal(ways.reach(machine), 'unreachable');
    assert.match(
      message,
      /^gpu-box does not answer: connect to host 127\.0\.0\.1 port \d+: Connection refused\./,
    );
  });

  it('that there is no such name', async () => {
    const machine = await ways.machine();
    machine.leadTo(machine.port, []);
    writeFileSync(machine.config, 'Host gpu-box\n  HostName no-such-machine.invalid\n');
    const { message } = await refusal(ways.reach(machine), 'unreachable');
    assert.match(message, /^gpu-box does not answer: Could not resolve hostname no-such-machine\.invalid/);
  });

  it('that it lets nobody in', async () => {
    const machine = await ways.machine();
    writeFileSync(join(machine.folder, 'authorized_keys'), '');
    const { message } = await refusal(ways.reach(machine), 'login');
    assert.match(
      message,
      /^gpu-box answers, but lets nobody in: .*Permission denied \(publickey\)\. Check the user/,
    );
  });

  it('that another key answers than the known one, and sends nothing', async () => {
    const machine = await ways.machine();
    await machine.halt();
    machine.newHostKey();
    await machine.boot();
    const { message, hostKey } = await refusal(ways.reach(machine), 'host_key_changed');
    assert.match(message, /^gpu-box shows another host key than the one that is known \(SHA256:/);
    assert.match(hostKey?.fingerprint ?? '', /^SHA256:\S+$/);
  });

  it('that nobody has said yes to its key', async () => {
    const machine = await ways.machine();
    rmSync(machine.knownHosts);
    const { message } = await refusal(ways.reach(machine), 'host_key_unknown');
    assert.match(message, /^gpu-box is not known yet.*hitch networks add ssh gpu-box$/s);
    assert.equal(existsSync(machine.knownHosts), false);
  });

  it('that a machine on the way fails', async () => {
    const machine = await ways.machine();
    machine.leadTo(machine.port, ['ProxyJump nobody@127.0.0.1:9']);
    const { message } = await refusal(ways.reach(machine), 'jump');
    assert.match(message, /^The way to gpu-box leads over another machine .*Connection refused/);
  });

  it('that a machine on the way has died', async () => {
    const [machine, hop] = [await ways.machine(), await ways.machine()];
    machine.leadTo(machine.port, ['ProxyJump hop']);
    const hopConfig = readFileSync(hop.config, 'utf8').replace('Host gpu-box', 'Host hop');
    appendFileSync(machine.config, hopConfig);
    const shell = await ways.reach(machine);
    assert.equal((await shell.run('echo there', { signal })).stdout, 'there\n');
    await hop.halt();
    hop.cut();
    await until('its end is known', () => shell.closed.aborted);
    const { message } = await refusal(ways.reach(machine), 'jump');
    assert.match(message, /^The way to gpu-box leads over another machine .*Check that ssh gpu-box works/);
  });

  it('that it runs no programs, or wants a terminal for them', async () => {
    const words = ['This account is not for you', 'sorry, you must have a tty to run this'];
    for (const [at, said] of words.entries()) {
      const machine = await ways.machine({ sshd: [`ForceCommand echo "${said}"; exit 1`] });
      const { message } = await refusal(ways.reach(machine), 'shell');
      assert.ok(message.startsWith('gpu-box lets Hitch in, but runs no programs for it'), message);
      assert.ok(message.includes(said), message);
      assert.equal(message.includes('It wants a terminal'), at === 1, message);
    }
  });

  it('that ssh cannot read its configuration', async () => {
    const machine = await ways.machine();
    writeFileSync(machine.config, 'Host gpu-box\n  NoSuchSetting yes\n');
    const { message } = await refusal(ways.reach(machine), 'no_ssh');
    assert.match(message, /Bad configuration option: nosuchsetting/i);
  });
});
