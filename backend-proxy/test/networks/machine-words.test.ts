/** What a person reads of a machine of their own when it is added or tried. */
import assert from 'node:assert/strict';
import { machineSeen } from '../../src/networks/machine-words.ts';
import { parseLook } from '../../src/machines/far/facts.ts';
import { LOOK_TEXT, NVIDIA_SMI } from '../machines/far/looks.ts';

const seen = (more = '') =>
  machineSeen({ name: 'gpu-box', facts: parseLook(`${more}${LOOK_TEXT}::gpus\n${NVIDIA_SMI}`), leases: [] });

describe('a machine of one’s own that was looked at', () => {
  it('is said in a line, and all else in lines of their own', () => {
    const { summary, lines } = seen();
    assert.match(summary, /^\d× .*, \d+ CPU cores?, \d+ GB of memory$/);
    assert.equal(lines[0], 'Ubuntu 22.04.5 LTS, x86_64');
    assert.ok(lines.includes('NVIDIA driver 550.54.15, CUDA up to 12.4'));
    assert.equal(lines.at(-1), 'No Hitch cluster runs there');
  });

  it('says whether a VPN could be set up there', () => {
    const without = seen();
    assert.equal(without.tun, false);
    assert.ok(without.lines.includes('No network interface can be made there (TUN), as a VPN needs'));
    const { tun, lines } = seen('tun yes\ncapabilities 000001ffffffffff\n');
    assert.equal(tun, true);
    assert.ok(lines.includes('Network interfaces can be made there (TUN), as a VPN needs'));
  });
});
