/** What nftables is told: the ports of one node, and nothing else of its machine. */
import assert from 'node:assert/strict';
import { type Closed, closedRules, wholeRules } from '../../../src/machines/far/closed-rules.ts';

const closed = (change: Partial<Closed> = {}): string =>
  closedRules({ ref: 'hitch-a1b2', firstPort: 12_150, lastPort: 12_299, peers: [], ...change });

describe('the rules that close a node’s ports', () => {
  it('let in the cluster’s machines, by IPv4 and IPv6, and drop what others send to these ports alone', () => {
    assert.equal(
      closed({ peers: ['fd77::3', '10.0.0.9', '10.0.0.7', '10.0.0.9'] }),
      'add table inet hitch-a1b2; delete table inet hitch-a1b2; table inet hitch-a1b2 { chain input { ' +
        'type filter hook input priority filter; policy accept; iif "lo" accept; ' +
        'ct state established,related accept; ip saddr { 10.0.0.7, 10.0.0.9 } accept; ip6 saddr { fd77::3 } accept; ' +
        'tcp dport 12150-12299 drop; udp dport 12150-12299 drop; }; }',
    );
  });

  it('drop what others send to any port of a rented machine but its sshd’s', () => {
    assert.equal(
      wholeRules({ ref: 'hitch-a1b2', sshPort: 22, peers: ['10.0.0.7'] }),
      'add table inet hitch-a1b2; delete table inet hitch-a1b2; table inet hitch-a1b2 { chain input { ' +
        'type filter hook input priority filter; policy accept; iif "lo" accept; ' +
        'ct state established,related accept; ip saddr { 10.0.0.7 } accept; ' +
        'tcp dport 22 accept; meta l4proto { icmp, ipv6-icmp } accept; udp dport { 68, 546 } accept; drop; }; }',
    );
    for (const sshPort of [0, 22.5, 65_536, Number.NaN]) {
      assert.throws(() => wholeRules({ ref: 'hitch-a1b2', sshPort, peers: [] }), RangeError);
    }
  });

  it('let in nobody where nobody else is there yet', () => {
    assert.doesNotMatch(closed(), /saddr/);
    assert.match(closed(), /tcp dport 12150-12299 drop/);
  });

  it('are one line, whatever they are made of', () => {
    assert.doesNotMatch(closed({ ref: 'hitch-a1b2-1', peers: ['10.0.0.7', 'fd77::3'] }), /[\n\r]/);
  });

  it('are not made of what could be read as a rule', () => {
    for (const peer of [
      '',
      '10.0.0.7 } accept; tcp dport 22 drop; ip saddr { 10.0.0.8',
      '10.0.0.0/8',
      '0.0.0.0/0',
      'gpu-box',
      '10.0.0.7\n',
      'fe80::1%eth0 } drop',
      '@members',
    ]) {
      assert.throws(() => closed({ peers: ['10.0.0.7', peer] }), RangeError, JSON.stringify(peer));
    }
    for (const ref of [
      '',
      'filter',
      'hitch-',
      'hitch-a b',
      'hitch-a;',
      'hitch-a { }',
      'hitch-A',
      `hitch-${'a'.repeat(61)}`,
    ]) {
      assert.throws(() => closed({ ref }), RangeError, JSON.stringify(ref));
    }
    for (const [firstPort, lastPort] of [
      [0, 10],
      [12_150, 12_149],
      [12_150.5, 12_299],
      [65_500, 65_536],
      [Number.NaN, 12_299],
    ] as const) {
      assert.throws(() => closed({ firstPort, lastPort }), RangeError, `${firstPort}-${lastPort}`);
    }
  });
});
