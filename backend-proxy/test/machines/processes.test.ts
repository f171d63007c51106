/** Which processes belong to a node, and how the systems' own listings are read. */
import assert from 'node:assert/strict';
import { findParents } from '../../src/machines/cgroups.ts';
import { endProcesses, membersOf } from '../../src/machines/end-processes.ts';
import { type ProcessEntry, parseProcStat, parsePs } from '../../src/machines/process-table.ts';
import { nodeAddressFor } from '../../src/machines/node-address.ts';
import { type Clock, systemClock } from '@hitch/platform/src/clock.ts';

const entry = (
  pid: number,
  parentPid: number,
  tag: string | null,
  startedAt = `t${pid.toString()}`,
): ProcessEntry => ({
  pid,
  parentPid,
  startedAt,
  tag,
});
const marks = { ref: 'hitch-a', cgroup: null, roots: [] };
const pids = (entries: readonly ProcessEntry[]) => entries.map(({ pid }) => pid).toSorted((a, b) => a - b);

describe('a node’s processes', () => {
  it('are those with its exact tag, and no others', () => {
    const entries = [
      entry(10, 1, 'hitch-a'),
      entry(11, 1, 'hitch-ab'),
      entry(12, 1, 'hitch-b'),
      entry(13, 1, null),
    ];
    assert.deepEqual(pids(membersOf(marks, entries, new Set())), [10]);
  });

  it('are also their untagged descendants, but never those with another node’s tag', () => {
    const entries = [
      entry(10, 1, 'hitch-a'),
      entry(11, 10, null),
      entry(12, 11, null),
      entry(13, 12, 'hitch-b'),
      entry(14, 13, null),
    ];
    assert.deepEqual(pids(membersOf(marks, entries, new Set())), [10, 11, 12]);
  });

  it('are not a later process that got the pid of one that was written down', () => {
    const roots = [{ pid: 10, startedAt: 'monday' }];
    assert.deepEqual(membersOf({ ...marks, roots }, [entry(10, 1, null, 'tuesday')], new Set()), []);
    assert.deepEqual(pids(membersOf({ ...marks, roots }, [entry(10, 1, null, 'monday')], new Set())), [10]);
  });

  it('are those in its control group whatever their environment says', () => {
    const entries = [entry(10, 1, null), entry(11, 1, null)];
    assert.deepEqual(pids(membersOf(marks, entries, new Set([11]))), [11]);
  });

  it('never include this process', () => {
    assert.deepEqual(membersOf(marks, [entry(process.pid, 1, 'hitch-a')], new Set([process.pid])), []);
  });

  it('are reported when they outlive every signal', async () => {
    let nowMs = 0;
    const clock: Clock = {
      ...systemClock,
      monotonic: () => nowMs,
      sleep: async ms => {
        nowMs += ms;
      },
    };
    // No process has this pid on any system.
    const table = { read: async () => [entry(2 ** 30, 1, 'hitch-a')] };
    await assert.rejects(endProcesses(marks, { clock, table }), /1 processes of hitch-a do not end/);
  });
});

describe('the systems’ listings', () => {
  it('are read from /proc/<pid>/stat whatever the program is called', () => {
    const fields = Array.from({ length: 48 }, (_, index) => (index + 5).toString()).join(' ');
    assert.deepEqual(parseProcStat(`77 (a) b (c) S 42 ${fields}`), { parentPid: 42, startedAt: '22' });
    assert.equal(parseProcStat(`77 (dead) Z 42 ${fields}`), null);
    assert.equal(parseProcStat(''), null);
  });

  it('are read from ps as macOS writes it, environment and all', () => {
    const text = [
      '  501     1 Ss   Sun Nov 22 13:09:00 2026     /usr/bin/python3 -m x HOME=/Users/a HITCH_NODE=hitch-a1 LANG=C',
      '  502   501 S+   Sun Nov  1 03:09:00 2026     sh -c true',
      '  503   501 Z    Sun Nov 22 13:09:01 2026     <defunct>',
      '  504     1 S    Sun Nov 22 13:09:01 2026     env HITCH_NODE=other-b',
      'garbage',
    ].join('\n');
    assert.deepEqual(parsePs(text), [
      { pid: 501, parentPid: 1, startedAt: 'Sun Nov 22 13:09:00 2026', tag: 'hitch-a1' },
      { pid: 502, parentPid: 501, startedAt: 'Sun Nov 1 03:09:00 2026', tag: null },
      { pid: 504, parentPid: 1, startedAt: 'Sun Nov 22 13:09:01 2026', tag: null },
    ]);
  });

  it('name the control group of a user’s session, version 2', () => {
    const mounts = '35 24 0:30 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n';
    const own = '0::/user.slice/user-1000.slice/user@1000.service/app.slice/term.scope\n';
    assert.deepEqual(findParents(mounts, own), [
      '/sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service/app.slice/term.scope',
    ]);
  });

  it('name version 1 after version 2, and the group beside a node’s own', () => {
    const mounts = [
      '36 31 0:33 / /sys/fs/cgroup/freezer rw - cgroup cgroup rw,freezer',
      '41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw',
    ].join('\n');
    assert.deepEqual(findParents(mounts, '6:freezer:/job\n0::/hitch-outer\n'), [
      '/sys/fs/cgroup/unified',
      '/sys/fs/cgroup/freezer/job',
    ]);
  });

  it('name none in a container that shows a part of the tree only', () => {
    const mounts = '35 24 0:30 / /sys/fs/cgroup ro - cgroup2 cgroup rw\n';
    assert.deepEqual(findParents(mounts, '0::/../../init.scope\n'), []);
    assert.deepEqual(findParents('', ''), []);
  });
});

describe('a node’s address', () => {
  const interfaces = (address: string | null) => () => ({
    lo: [inet('127.0.0.1', true)],
    ...(address === null ? {} : { eth0: [inet(address, false)] }),
  });
  const inet = (address: string, internal: boolean) => ({
    address,
    internal,
    family: 'IPv4' as const,
    netmask: '',
    mac: '',
    cidr: null,
  });
  const at = (canBind: boolean, address: string | null) =>
    nodeAddressFor(12_300, { canBind: async () => canBind, interfaces: interfaces(address) });

  it('is a loopback address of its own where there is one', async () => {
    assert.equal(await at(true, '192.0.2.2'), '127.77.0.3');
  });

  it('is else the computer’s own address, and 127.0.0.1 only without any network', async () => {
    assert.equal(await at(false, '192.0.2.2'), '192.0.2.2');
    assert.equal(await at(false, null), '127.0.0.1');
  });
});
