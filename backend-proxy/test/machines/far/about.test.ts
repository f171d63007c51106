/** What a person reads of a far machine that runs a cluster. */
import assert from 'node:assert/strict';
import { aboutMachine, type Known, parseTorch, rebootOf } from '../../../src/machines/far/about.ts';
import { parseLook } from '../../../src/machines/far/facts.ts';
import { parseNetwork } from '../../../src/machines/far/network-speed.ts';
import { LOOK_TEXT, NVIDIA_SMI } from './looks.ts';

const ROOT = '/home/ada/.hitch/far';
const facts = (more = '') => parseLook(`${more}${LOOK_TEXT}::gpus\n${NVIDIA_SMI}`);
const about = (change: Partial<Known> = {}) =>
  aboutMachine({
    name: 'gpu-box',
    facts: facts(),
    root: ROOT,
    atReboot: 'cron',
    torch: null,
    network: null,
    clockAheadS: 0,
    isReached: false,
    usesGpus: true,
    ...change,
  });

describe('what is known of a far machine', () => {
  it('is one line, of what was said', () => {
    assert.deepEqual(about(), {
      says: 'Ubuntu 22.04.5 LTS, x86_64, glibc 2.35, NVIDIA driver 550.54.15, CUDA up to 12.4',
      warnings: [],
      returnsAfterReboot: true,
    });
    const measured = facts(`place used 40960000 rw ${ROOT}\nspeed 420 ${ROOT}\n`);
    const torch = parseTorch(`${measured.boot} 2.4.0 12.1 yes`, measured.boot);
    assert.match(
      about({ facts: measured, torch }).says,
      /, torch 2\.4\.0 for CUDA 12\.1, disk writes 420 MB\/s$/,
    );
    const admin = facts('tun yes\ncapabilities 000001ffffffffff\n');
    assert.match(about({ facts: admin }).says, /, CUDA up to 12\.4, TUN$/);
    const unknown = parseLook(LOOK_TEXT.replace('glibc 2.35', '').replace('Ubuntu 22.04.5 LTS', ''));
    assert.equal(about({ facts: unknown }).says, 'Linux, x86_64');
  });

  it('says how fast its network is, or why nobody knows', () => {
    const says = (text: string) =>
      about({ network: parseNetwork(text) }).says.replace(/^.*, CUDA up to 12\.4/, '');
    const kept = (change: object) =>
      JSON.stringify({ downMbps: 480.2, upMbps: 3.5, whyNoDown: '', whyNoUp: '', ...change });
    assert.equal(says(kept({})), ', network 480 Mbps in, 3.5 Mbps out to this computer');
    assert.equal(
      says(kept({ upMbps: null, whyNoUp: 'priced' })),
      ', network 480 Mbps in, out not measured (its traffic costs)',
    );
    assert.equal(
      says(kept({ downMbps: null, whyNoDown: 'index' })),
      ', network in not measured (its package index sends nothing), 3.5 Mbps out to this computer',
    );
    assert.equal(
      says(kept({ downMbps: null, upMbps: null, whyNoDown: 'priced', whyNoUp: 'priced' })),
      ', network not measured (its traffic costs)',
    );
    for (const odd of ['', 'fast', '{}', kept({ downMbps: -1 }), kept({ whyNoUp: '<b>' })]) {
      assert.equal(says(odd), '');
    }
  });

  it('warns of one that does not come back by itself', () => {
    assert.equal(rebootOf(facts()), 'cron');
    assert.equal(rebootOf(facts('unit yes\n')), 'unit');
    const { returnsAfterReboot, warnings } = about({
      atReboot: rebootOf(parseLook('os Linux\narch x86_64\n')),
    });
    assert.equal(returnsAfterReboot, false);
    assert.deepEqual(warnings, [
      "If gpu-box is restarted, nothing there starts Hitch's agent again until this computer reaches it: it has neither cron nor a systemd of its user that may run without a login.",
    ]);
  });

  it('warns of ports that others reach, where others reach it and they are not closed', () => {
    const open = facts('closes refused Operation not permitted\n');
    assert.deepEqual(about({ facts: open }).warnings, []);
    assert.deepEqual(about({ facts: open, isReached: true }).warnings, [
      "Whoever reaches gpu-box over its network reaches the ports of Ray there, which ask for the cluster's token: they are not closed to others, since nft may not do it there (Operation not permitted).",
    ]);
    assert.deepEqual(about({ facts: facts('closes yes\n'), isReached: true }).warnings, []);
  });

  it('warns of a torch that sees no GPU, and says what it lacks', () => {
    const warned = (text: string, change: Partial<Known> = {}) => {
      const { boot } = facts();
      return about({ torch: parseTorch(`${boot} ${text}`, boot), ...change }).warnings;
    };
    assert.deepEqual(warned('2.4.0 12.1 yes'), []);
    assert.deepEqual(warned('2.9.0 12.8 no'), [
      'The NVIDIA driver of gpu-box (550.54.15) runs CUDA up to 12.4, and its torch 2.9.0 needs 12.8: torch sees no GPU until the driver is renewed or a torch for CUDA 12.4 is installed.',
    ]);
    assert.match(
      warned('2.4.0 12.1 no').join(),
      /is_available\(\) is False\), although nvidia-smi shows 2: check/,
    );
    assert.match(warned('2.4.0+cpu none no').join(), /was made without CUDA and sees no GPU/);
    assert.deepEqual(warned('2.4.0 12.1 no', { usesGpus: false }), []);
    assert.deepEqual(warned('none'), []);
  });

  it('takes no word of a torch from before a reboot', () => {
    assert.equal(parseTorch('gpu-box/before 2.4.0 12.1 no', 'gpu-box/now'), null);
    assert.equal(parseTorch('', 'gpu-box/now'), null);
  });

  it('warns of a clock that is off, a folder that does not answer and a slow disk', () => {
    assert.deepEqual(about({ clockAheadS: 30 }).warnings, []);
    assert.match(
      about({ clockAheadS: -840 }).warnings.join(),
      /is 14 min behind this computer's: times of its files/,
    );
    assert.match(about({ clockAheadS: 10_800 }).warnings.join(), /is 3 h ahead of this computer's/);
    assert.match(
      about({ facts: facts('silent /data\n') }).warnings.join(),
      /^\/data on gpu-box does not answer/,
    );
    const slow = facts(`place used 40960000 rw ${ROOT}\nspeed 9 ${ROOT}\n`);
    assert.match(about({ facts: slow }).warnings.join(), /takes only 9 MB a second/);
  });
});
