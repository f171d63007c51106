import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { systemClock } from '@hitch/platform/src/clock.ts';
import { silentLog } from '@hitch/platform/src/log.ts';
import { AmdWatch } from '../../../src/agent/use/amd.ts';
import { NvidiaWatch, parseAppLine, parseGpuLine } from '../../../src/agent/use/nvidia.ts';

const folders: string[] = [];
function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'hitch-gpus-'));
  folders.push(made);
  return made;
}
const write = (path: string, text: string): void => {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
};
after(() => folders.forEach(each => rmSync(each, { recursive: true, force: true })));

describe('NVIDIA’s GPUs over time', () => {
  it('are read from a line each, what a driver does not say as null', () => {
    assert.deepEqual(parseGpuLine('0, NVIDIA H100 80GB HBM3, 97, 71234, 81559, 64, 612.35'), {
      index: 0,
      name: 'NVIDIA H100 80GB HBM3',
      utilizationPercent: 97,
      vramUsedMiB: 71_234,
      vramTotalMiB: 81_559,
      temperatureC: 64,
      powerW: 612.35,
    });
    assert.deepEqual(parseGpuLine('11, Tesla, old, 3, 10, 2000, [Not Supported], [Unknown Error]'), {
      index: 11,
      name: 'Tesla, old',
      utilizationPercent: 3,
      vramUsedMiB: 10,
      vramTotalMiB: 2_000,
      temperatureC: null,
      powerW: null,
    });
    for (const line of [
      '',
      'No devices were found',
      'Failed to initialize NVML: Driver/library version mismatch',
    ]) {
      assert.equal(parseGpuLine(line), null, line);
    }
  });

  it('tell of the memory of processes, and of none where they do not know it', () => {
    assert.deepEqual(parseAppLine('2026/11/30 10:00:01.123, 4242, 20480'), {
      look: '2026/11/30 10:00:01.123',
      pid: 4_242,
      vramMiB: 20_480,
    });
    assert.equal(parseAppLine('2026/11/30 10:00:01.123, 4242, [N/A]'), null);
    assert.equal(parseAppLine('No running processes found'), null);
  });

  it('are known from a program that stays, and no more when it is silent', async () => {
    const place = folder();
    const program = join(place, 'nvidia-smi');
    // Says twice what a driver says each two seconds, cut in the middle of a line, and then hangs as a lost GPU has it hang.
    const script = `#!/bin/sh
case "$*" in
  *query-compute-apps*) printf 't1, 5, 100\\nt2, 7, 200\\nt2, 7, 50\\n' ;;
  *) printf '1, B, 50, 1, 2, 3, 4\\n0, A, 10, 1,'; printf ' 2, 3, 4\\n0, A, 20, 1, 2, 3, 4\\n' ;;
esac
exec sleep 60
`;
    writeFileSync(program, script, { mode: 0o755 });
    let nowMs = 1_000;
    const clock = { ...systemClock, monotonic: () => nowMs };
    const watch = new NvidiaWatch({
      ...{ clock, log: silentLog, everyMs: 2_000, appsEveryMs: 10_000, tags: {} },
      ...{ program, visible: undefined },
    });
    watch.start();
    try {
      while (watch.gpus()?.length !== 2 || watch.processes().length !== 2) {
        await new Promise(resolve => setTimeout(resolve, 5));
      }
      assert.deepEqual(
        watch.gpus()?.map(({ index, utilizationPercent }) => [index, utilizationPercent]),
        [
          [0, 20],
          [1, 50],
        ],
      );
      assert.deepEqual(watch.processes(), [
        { pid: 7, vramMiB: 200 },
        { pid: 7, vramMiB: 50 },
      ]);
      nowMs += 60_000;
      assert.equal(watch.gpus(), null);
      assert.deepEqual(watch.processes(), []);
    } finally {
      watch.stop();
    }
  });
});

describe('AMD’s GPUs', () => {
  it('are read from their driver’s files, with what each process has', () => {
    const root = folder();
    const card = join(root, 'drm/card1/device');
    write(join(card, 'vendor'), '0x1002\n');
    write(join(card, 'product_name'), 'AMD Instinct MI300X\n');
    write(join(card, 'gpu_busy_percent'), '73\n');
    write(join(card, 'mem_info_vram_total'), `${(1024 * 1024 * 196_592).toString()}\n`);
    write(join(card, 'mem_info_vram_used'), `${(1024 * 1024 * 1_000).toString()}\n`);
    write(join(card, 'hwmon/hwmon4/temp1_input'), '45500\n');
    write(join(card, 'hwmon/hwmon4/power1_average'), '310000000\n');
    write(join(root, 'drm/card0/device/vendor'), '0x10de\n');
    write(join(root, 'drm/card1-DP-1/status'), 'connected\n');
    write(join(root, 'kfd/kfd/proc/99/vram_1234'), `${(1024 * 1024 * 600).toString()}\n`);
    write(join(root, 'kfd/kfd/proc/99/vram_5678'), `${(1024 * 1024 * 100).toString()}\n`);
    const watch = new AmdWatch(root);
    assert.deepEqual(watch.gpus(), [
      {
        index: 0,
        name: 'AMD Instinct MI300X',
        utilizationPercent: 73,
        vramUsedMiB: 1_000,
        vramTotalMiB: 196_592,
        temperatureC: 45.5,
        powerW: 310,
      },
    ]);
    assert.deepEqual(watch.processes(), [{ pid: 99, vramMiB: 700 }]);
  });

  it('are none where there is no such driver', () => {
    const watch = new AmdWatch(folder());
    assert.equal(watch.gpus(), null);
    assert.deepEqual(watch.processes(), []);
  });
});
