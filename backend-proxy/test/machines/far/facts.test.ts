/** What is read out of a far machine's own words about itself. */
import assert from 'node:assert/strict';
import { type FarFacts, parseLook } from '../../../src/machines/far/facts.ts';
import { parseNvidiaSmi } from '../../../src/machines/far/nvidia.ts';
import { LOOK_TEXT, NVIDIA_SMI } from './looks.ts';

const look = (more = '', base = LOOK_TEXT): FarFacts => parseLook(`${more}${base}`);

describe('the facts of a far machine', () => {
  it('are read a line each', () => {
    const facts = look();
    assert.equal(facts.os, 'Linux');
    assert.equal(facts.arch, 'x86_64');
    assert.deepEqual(facts.libc, { name: 'glibc', version: '2.35' });
    assert.equal(facts.system, 'Ubuntu 22.04.5 LTS');
    assert.equal(facts.uid, 1000);
    assert.equal(facts.cpuCores, 32);
    assert.equal(facts.memoryMiB, 128_000);
    assert.equal(facts.cron, true);
    assert.deepEqual([...facts.listeningPorts], [22, 8888]);
  });

  it('name the address at which the machine was reached, where others could reach it too', () => {
    const at = (text: string) => look(`reached ${text}\n`).reachedAt;
    assert.deepEqual(at('10.1.2.3 2222'), { address: '10.1.2.3', port: 2222 });
    for (const text of ['127.0.0.1 22', 'fd00::1 22', '10.1.2.3', '']) {
      assert.equal(at(text), null, text);
    }
  });

  it('name the folders of servers that were not looked at', () => {
    assert.deepEqual(look('passed /mnt/a b\npassed /mnt/c\n').passed, ['/mnt/a b', '/mnt/c']);
    assert.deepEqual(look().passed, []);
  });

  it('count what its control groups allow, the outer ones too', () => {
    const limits = 'cpu_max max 100000\ncpu_max 650000 100000\nmemory_max max\nmemory_max 34359738368\n';
    assert.equal(look(limits).cpuCores, 6);
    assert.equal(look(limits).memoryMiB, 32_768);
    // The older groups say -1 for no limit, and a number beyond all memory.
    assert.equal(look('cpu_max -1 100000\nmemory_max 9223372036854771712\n').cpuCores, 32);
    assert.equal(look('cpu_max 50000 100000\n').cpuCores, 1);
  });

  it('say whether a network interface of our own can be made', () => {
    const tun = (capabilities: string) =>
      parseLook(LOOK_TEXT.replace('0000000000000000', capabilities).replace('uid', 'tun yes\nuid')).tun;
    assert.equal(tun('000001ffffffffff'), true);
    assert.equal(tun('0000000000000000'), false);
    assert.equal(look().tun, false);
  });

  it('name the addresses by which the internet could reach it', () => {
    const own =
      '127.0.0.1 10.0.0.7 172.20.1.1 192.168.1.9 100.70.1.2 169.254.3.4 fd000000000000000000000000000002';
    assert.deepEqual(look(`addresses ${own} \n`).publicAddresses, []);
    assert.deepEqual(look(`addresses ${own} 8.8.4.4 2a010db8000000000000000000000001 \n`).publicAddresses, [
      '8.8.4.4',
      '2a01:0db8:0000:0000:0000:0000:0000:0001',
    ]);
  });

  it('name the addresses from which it calls its neighbours', () => {
    const own = '127.0.0.1 127.0.1.1 10.0.0.7 192.168.1.9 8.8.4.4 fd000000000000000000000000000002';
    assert.deepEqual(look(`addresses ${own} \n`).privateAddresses, ['10.0.0.7', '192.168.1.9']);
  });

  it('say why ports cannot be closed there', () => {
    const why = (text: string) => look(text).staysOpen;
    assert.equal(why('closes yes\n'), null);
    assert.equal(why('closes user\n'), 'only root can');
    assert.equal(why('closes missing\n'), 'nft is not installed there (the package nftables)');
    assert.equal(
      why('closes refused netlink: Operation not permitted\n'),
      'nft may not do it there (netlink: Operation not permitted)',
    );
    assert.equal(why(`closes refused ${'x'.repeat(5_000)}\n`)?.includes('x'.repeat(300)), false);
    // One that says nothing of it has closed nothing.
    assert.equal(why(''), 'only root can');
  });

  it('say of each place how much room it has, and whether it is closed', () => {
    const places = look(
      'place free 900 ro,nosuid /data/.hitch-1000/far\nplace used 2048000 rw,noexec /mnt/a b/.hitch-1000/far\nspeed 420 /mnt/a b/.hitch-1000/far\n',
    ).places;
    assert.deepEqual(places.slice(0, 2), [
      { root: '/data/.hitch-1000/far', state: 'closed', freeMiB: 0, noexec: false, writesMBps: null },
      { root: '/mnt/a b/.hitch-1000/far', state: 'used', freeMiB: 2000, noexec: true, writesMBps: 420 },
    ]);
  });

  it('name the folders that do not answer', () => {
    assert.deepEqual(look('silent /data\nsilent /mnt/a b\n').silent, ['/data', '/mnt/a b']);
    assert.deepEqual(look().silent, []);
  });

  it('name musl, and say when a system does not tell its libc', () => {
    assert.deepEqual(parseLook(LOOK_TEXT.replace('glibc 2.35', 'musl 1.2.5')).libc.name, 'musl');
    assert.deepEqual(parseLook(LOOK_TEXT.replace('glibc 2.35', '')).libc.name, 'unknown');
  });

  it('are none where something else answers', () => {
    assert.throws(() => parseLook('Welcome to gpu-box!\n'), RangeError);
  });
});

describe('nvidia-smi', () => {
  it('is read for what is there, how much of it is free, and who uses it', () => {
    const gpus = parseNvidiaSmi(NVIDIA_SMI);
    assert.equal(gpus.driver, '550.54.15');
    assert.equal(gpus.cudaMax, '12.4');
    assert.deepEqual(
      gpus.gpus.map(({ model, memoryMiB, usedMiB, processes }) => ({ model, memoryMiB, usedMiB, processes })),
      [
        { model: 'H100 80GB HBM3', memoryMiB: 81_559, usedMiB: 40_000, processes: 1 },
        { model: 'RTX 4090', memoryMiB: 24_564, usedMiB: 2, processes: 0 },
      ],
    );
  });

  it('says what is wrong in place of a list', () => {
    const said = parseLook(
      `${LOOK_TEXT}::gpus\nNVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.\n`,
    );
    assert.equal(said.gpus.gpus.length, 0);
    assert.match(said.gpus.problem ?? '', /^NVIDIA-SMI has failed/);
  });

  it('does not make a GPU of what a driver cannot tell', () => {
    const gpus = parseNvidiaSmi(NVIDIA_SMI.replaceAll('81559 MiB', 'N/A').replace('12.4', 'N/A'));
    assert.equal(gpus.gpus[0]?.memoryMiB, 0);
    assert.equal(gpus.cudaMax, null);
  });

  it('is not believed a version that is none', () => {
    const odd = NVIDIA_SMI.replace('550.54.15', '1. Log in again at example.com').replace(
      '12.4',
      '1'.repeat(5000),
    );
    const gpus = parseNvidiaSmi(odd);
    assert.deepEqual([gpus.driver, gpus.cudaMax, gpus.gpus.length], [null, null, 2]);
  });
});
