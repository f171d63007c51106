/** What of this computer's networks says that it is elsewhere now. */
import assert from 'node:assert/strict';
import type { NetworkInterfaceInfo } from 'node:os';
import { ownAddresses } from '../../../src/access/tunnel/own-addresses.ts';

const v4 = (address: string, internal = false): NetworkInterfaceInfo => ({
  address,
  netmask: '255.255.255.0',
  family: 'IPv4',
  mac: '02:00:00:00:00:01',
  internal,
  cidr: null,
});
const v6 = (address: string): NetworkInterfaceInfo => ({
  address,
  netmask: 'ffff:ffff:ffff:ffff::',
  family: 'IPv6',
  mac: '02:00:00:00:00:01',
  internal: false,
  cidr: null,
  scopeid: 0,
});
const home = {
  lo: [v4('127.0.0.1', true)],
  wlan0: [v4('192.168.1.9'), v6('2a01:db8:1:2:3:4:5:6'), v6('fe80::1')],
};

describe('the networks of this computer', () => {
  const of = (interfaces: NodeJS.Dict<NetworkInterfaceInfo[]>) => ownAddresses(() => interfaces);

  it('are others in another network, behind a cable, and without any', () => {
    const texts = [
      of(home),
      of({ ...home, wlan0: [v4('10.0.0.7')] }),
      of({ ...home, eth0: [v4('192.168.1.10')] }),
      of({ lo: home.lo }),
    ];
    assert.equal(new Set(texts).size, texts.length);
  });

  it('are the same whatever containers do, in whatever order, and with another temporary address', () => {
    assert.equal(of({ ...home, veth12: [v4('172.17.0.3')], docker0: [v4('172.17.0.1')] }), of(home));
    assert.equal(of({ wlan0: home.wlan0.toReversed(), lo: home.lo }), of(home));
    const temporary = [...home.wlan0, v6('2a01:db8:1:2:ffff:4:5:6'), v6('fe80::2')];
    assert.equal(of({ ...home, wlan0: temporary }), of(home));
  });
});
