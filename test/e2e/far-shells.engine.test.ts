/** Ways that are kept open for those who need them: shared, given up, and dialled anew when this computer wakes or moves. */
import assert from 'node:assert/strict';
import { type Clock, systemClock } from '@hitch/platform/src/clock.ts';
import { systemRandom } from '@hitch/platform/src/random.ts';
import { FarShells } from '../../backend-proxy/src/access/tunnel/far-shells.ts';
import type { FarMachine } from '../support/far-machine.ts';
import { needsOpenssh } from '../support/openssh.ts';
import { until } from '../support/waiting.ts';
import { refusal, Ways } from '../support/ways.ts';

const { signal } = new AbortController();

describe('a way by ssh that is kept open', function suite() {
  this.timeout(240_000);
  let ways: Ways;

  before(function check() {
    needsOpenssh(this);
  });
  beforeEach(() => {
    ways = new Ways();
  });
  afterEach(() => ways.end());

  /** A computer that can sleep: its clock, which counts sleep, goes on by so much. */
  const aClock = () => {
    let sleptMs = 0;
    const clock: Clock = { ...systemClock, monotonic: () => systemClock.monotonic() + sleptMs };
    return { clock, sleep: (ms: number) => (sleptMs += ms) };
  };
  const shellsOf = (clock: Clock, addresses?: () => string): FarShells => {
    const shells = new FarShells(
      { clock, random: systemRandom, sockets: ways.sockets, shared: true },
      addresses,
    );
    ways.later(() => shells.close());
    return shells;
  };
  const targetOf = ({ config }: FarMachine) => ({
    name: 'gpu-box',
    destination: 'gpu-box',
    settings: [],
    configFile: config,
  });

  it('is one connection for all who ask, and another after its end', async () => {
    const machine = await ways.machine();
    const shells = shellsOf(systemClock);
    const [one, two] = await Promise.all([
      shells.hold(targetOf(machine), signal),
      shells.hold(targetOf(machine), signal),
    ]);
    assert.equal(one.shell, two.shell);
    machine.cut();
    await until('its end is known', () => one.shell.closed.aborted);
    const again = await shells.use(targetOf(machine), signal, shell => shell.run('echo again', { signal }));
    assert.equal(again.stdout, 'again\n');
  });

  it('is given up in a sentence when nothing answers for half a minute', async () => {
    const machine = await ways.machine();
    const wire = await ways.wireTo(machine.port);
    machine.leadTo(wire.port);
    wire.cut();
    // Its half minute is over at once.
    const clock: Clock = {
      ...systemClock,
      setTimer: (work, ms) => systemClock.setTimer(work, ms === 30_000 ? 0 : ms),
    };
    const { message } = await refusal(shellsOf(clock).hold(targetOf(machine), signal), 'unreachable');
    assert.equal(message, 'gpu-box has not answered for 30 s. Check that ssh gpu-box works in a terminal.');
  });

  it('is dialled a second time when this computer wakes, and the dead one is given up for it', async () => {
    const machine = await ways.machine();
    const wire = await ways.wireTo(machine.port);
    machine.leadTo(wire.port);
    const { clock, sleep } = aClock();
    const shells = shellsOf(clock);
    const { shell } = await shells.hold(targetOf(machine), signal);
    wire.cut();
    machine.leadTo(machine.port);
    sleep(60_000);
    await until('the dead one is given up', () => shell.closed.aborted);
    const { shell: other } = await shells.hold(targetOf(machine), signal);
    assert.notEqual(other, shell);
    assert.equal((await other.run('echo awake', { signal })).stdout, 'awake\n');
  });

  it('is dialled a second time when this computer comes into another network', async () => {
    const machine = await ways.machine();
    const wire = await ways.wireTo(machine.port);
    machine.leadTo(wire.port);
    let addresses = 'wlan0 192.168.1.9';
    let failures = 0;
    const shells = shellsOf(systemClock, () => {
      if (addresses !== 'wlan0 192.168.1.9' && failures++ === 0) {
        throw new Error('uv_interface_addresses returned EMFILE');
      }
      return addresses;
    });
    const { shell } = await shells.hold(targetOf(machine), signal);
    wire.cut();
    machine.leadTo(machine.port);
    addresses = 'wlan0 10.0.0.7';
    await until('the dead one is given up', () => shell.closed.aborted);
    const { shell: other } = await shells.hold(targetOf(machine), signal);
    assert.equal((await other.run('echo moved', { signal })).stdout, 'moved\n');
    assert.ok(failures > 1, 'one look could not be had, which harmed nothing');
  });

  it('stays the same when it answers first', async () => {
    const machine = await ways.machine();
    const [old, other] = [await ways.wireTo(machine.port), await ways.wireTo(machine.port)];
    machine.leadTo(old.port);
    const { clock, sleep } = aClock();
    const shells = shellsOf(clock);
    const { shell } = await shells.hold(targetOf(machine), signal);
    old.cut();
    other.cut();
    machine.leadTo(other.port);
    sleep(60_000);
    await until('another was dialled', () => other.connections > 0);
    old.mend();
    await until('the other was given up', () => other.connections === 0);
    assert.equal(shell.closed.aborted, false);
    assert.equal((await shells.hold(targetOf(machine), signal)).shell, shell);
  });
});
