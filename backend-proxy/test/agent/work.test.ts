import assert from 'node:assert/strict';
import { parseNetwork, parseStat, remoteSockets, type NodeProcess } from '../../src/agent/processes/proc.ts';
import { ProcessWork } from '../../src/agent/processes/work.ts';

interface Use {
  readonly cpuMs?: number;
  readonly diskBytes?: number;
}

/** A machine whose processes use what a test says, between looks that are as far apart as it says. */
class Machine {
  readonly work: ProcessWork;
  nowMs = 0;
  networkBytes = 0;
  isConnected = false;
  #used = new Map<string, Required<Use>>();

  constructor(limits = { cpuPercent: 10, kilobytesPerSecond: 100 }) {
    const reader = {
      processes: () => [...this.#used].map(([name, used], at) => processOf(name, 100 + at, used)),
      networkBytes: () => this.networkBytes,
      connected: (processes: readonly NodeProcess[]) => (this.isConnected ? (processes[0] ?? null) : null),
    };
    this.work = new ProcessWork({ clock: { monotonic: () => this.nowMs }, limits: () => limits, reader });
  }

  after(ms: number, uses: Readonly<Record<string, Use>>): readonly string[] {
    this.nowMs += ms;
    for (const [name, { cpuMs = 0, diskBytes = 0 }] of Object.entries(uses)) {
      const before = this.#used.get(name) ?? { cpuMs: 0, diskBytes: 0 };
      this.#used.set(name, { cpuMs: before.cpuMs + cpuMs, diskBytes: before.diskBytes + diskBytes });
    }
    return this.work.look();
  }
}

function processOf(name: string, pid: number, used: Required<Use>): NodeProcess {
  return { pid, key: name, name, ...used };
}

describe('What processes of a node do', () => {
  it('counts as work above a share of a core, however many share it, and names the busiest', () => {
    const machine = new Machine();
    machine.after(0, { 'python train.py': {}, bash: {} });
    assert.deepEqual(machine.after(20_000, { 'python train.py': { cpuMs: 1_000 } }), []);
    assert.deepEqual(machine.after(20_000, { 'python train.py': { cpuMs: 1_300 }, bash: { cpuMs: 900 } }), [
      'processes use 11 % of a core, most of it python train.py (process 100)',
    ]);
    assert.deepEqual(machine.after(20_000, {}), []);
  });

  it('counts a process that began since the last look with all that it used', () => {
    const machine = new Machine();
    machine.after(0, {});
    assert.match(machine.after(10_000, { make: { cpuMs: 9_000 } })[0] ?? '', /use 90 % of a core/);
  });

  it('takes many processes that are awake now and then for no work', () => {
    const machine = new Machine();
    const many = Object.fromEntries(
      Array.from({ length: 50 }, (_, at) => [`kernel ${at.toString()}`, { cpuMs: 150 }]),
    );
    machine.after(0, many);
    assert.deepEqual(machine.after(10_000, many), []);
  });

  it('takes what the shortest span had for true until the next is over', () => {
    const machine = new Machine();
    machine.after(0, { a: {} });
    assert.equal(machine.after(10_000, { a: { cpuMs: 5_000 } }).length, 1);
    assert.equal(machine.after(5_000, {}).length, 1);
    assert.equal(machine.after(5_000, {}).length, 0);
  });

  it('counts disk, and network only with a connection of one of them', () => {
    const machine = new Machine({ cpuPercent: 50, kilobytesPerSecond: 1_000 });
    machine.after(0, { wget: {} });
    machine.networkBytes += 50_000_000;
    assert.deepEqual(machine.after(10_000, { wget: { diskBytes: 12_000_000 } }), [
      'processes read and write 1.2 MB/s, most of it wget (process 100)',
    ]);
    machine.networkBytes += 50_000_000;
    machine.isConnected = true;
    assert.deepEqual(machine.after(10_000, {}), [
      'wget (process 100) is connected while the network carries 5 MB/s',
    ]);
  });
});

describe('What /proc says', () => {
  it('is read whatever a program calls itself', () => {
    const numbers = '1 77 77 0 -1 4194304 100 0 0 0 12 3 40 5 20 0 1 0 5555 1000';
    assert.deepEqual(parseStat(`42 (a) R (b c) S ${numbers}`), {
      pid: 42,
      key: '42:5555',
      command: 'a) R (b c',
      parent: 1,
      cpuMs: 600,
    });
    assert.equal(parseStat(`42 (gone) Z ${numbers}`), null);
    assert.equal(parseStat(''), null);
  });

  it('leaves loopback and the machine’s own address out, in traffic and in connections', () => {
    const devices = [
      'Inter-|   Receive                                                |  Transmit',
      ' face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets',
      '    lo:  999       1    0    0    0     0          0         0      999       1',
      '  eth0:  1000      1    0    0    0     0          0         0      234       1',
    ];
    assert.equal(parseNetwork(devices.join('\n')), 1_234);
    const line = (remote: string, state: string, inode: string, local = '0100007F'): string =>
      `   0: ${local}:1F90 ${remote}:C350 ${state} 00000000:00000000 00:00000000 00000000     0        0 ${inode} 1`;
    const table = [
      '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode',
      line('0100007F', '01', '1'),
      line('057A4D7F', '01', '2'),
      line('0101A8C0', '01', '3'),
      line('0101A8C0', '0A', '4'),
      line('00000000000000000000000001000000', '01', '5'),
      line('0000000000000000FFFF00000100007F', '01', '6'),
      line('B80D01200000000067452301EFCDAB89', '01', '7'),
      line('0101A8C0', '01', '8', '0101A8C0'),
      line('B80D01200000000067452301EFCDAB89', '01', '9', 'B80D01200000000067452301EFCDAB89'),
      line('0101A8C0', '01', '10', '0201A8C0'),
    ];
    assert.deepEqual(remoteSockets(table.join('\n')), ['3', '7', '10']);
  });
});
