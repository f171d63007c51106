/** Figures out of files that real clients wrote, whole, growing, cut and damaged. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findMetricFiles } from '../../../src/agent/jobs/metrics/find-files.ts';
import { EventFile } from '../../../src/agent/jobs/metrics/tensorboard.ts';
import { WandbFile } from '../../../src/agent/jobs/metrics/wandb.ts';

interface Seen {
  readonly name: string;
  readonly step: number;
  readonly value: number;
}

const LONG = 3 * 1024 * 1024;
const FIXTURES = join(import.meta.dirname, 'fixtures');
const bytesOf = (name: string): Buffer => readFileSync(join(FIXTURES, name));

/** Looks until there is no more to read. */
async function all(file: EventFile | WandbFile): Promise<{ seen: Seen[]; how: string }> {
  const seen: Seen[] = [];
  for (;;) {
    const how = await file.look((name, step, _atMs, value) => seen.push({ name, step, value }));
    if (how !== 'more') {
      return { seen, how };
    }
  }
}

const nearly = (value: number, right: number): void =>
  assert.ok(Math.abs(value - right) < 1e-6, `${value.toString()} is not ${right.toString()}`);

describe('Files of figures', () => {
  let folder = '';
  const path = (): string => join(folder, 'file');

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hitch-metrics-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('reads TensorBoard’s scalars of both kinds', async () => {
    const { seen, how } = await all(new EventFile(join(FIXTURES, 'tensorboard.tfevents.bin')));
    assert.equal(how, 'end');
    const [loss, acc] = ['loss', 'acc'].map(name => seen.filter(each => each.name === name));
    assert.deepEqual(
      loss?.map(({ step }) => step),
      [0, 1, 2, 3, 4],
    );
    loss?.forEach(({ step, value }) => nearly(value, 2 * Math.exp(-step / 9) + 0.1));
    acc?.forEach(({ step, value }) => nearly(value, step / 10));
    assert.equal(acc?.length, 5);
  });

  it('reads those of tensorboardX', async () => {
    const { seen } = await all(new EventFile(join(FIXTURES, 'tensorboardx.tfevents.bin')));
    assert.equal(seen.length, 5);
    seen.forEach(({ step, value }) => nearly(value, 2 * Math.exp(-step / 9) + 0.1));
  });

  it('reads W&B’s history across blocks, with what was logged as a dictionary and what is no number', async () => {
    const { seen, how } = await all(new WandbFile(join(FIXTURES, 'offline.wandb.bin')));
    assert.equal(how, 'end');
    const loss = seen.filter(({ name }) => name === 'loss');
    assert.equal(loss.length, 301);
    loss.slice(0, 300).forEach(({ step, value }) => nearly(value, 2 * Math.exp(-step / 90) + 0.1));
    assert.ok(Number.isNaN(loss[300]?.value));
    assert.deepEqual(
      seen.filter(({ name }) => name === 'eval.acc').map(({ step }) => step),
      Array.from({ length: 300 }, (_, step) => step),
    );
    assert.ok(seen.every(({ name }) => !name.startsWith('_')));
  });

  for (const [name, make] of [
    ['tensorboard.tfevents.bin', (from: string) => new EventFile(from)],
    ['offline.wandb.bin', (from: string) => new WandbFile(from)],
  ] as const) {
    it(`takes each value of ${name} once, wherever the file ends in between`, async () => {
      const bytes = bytesOf(name);
      const { seen: right } = await all(make(join(FIXTURES, name)));
      writeFileSync(path(), '');
      let file = make(path());
      const seen: Seen[] = [];
      for (let at = 0; at < bytes.length;) {
        const size = 1 + ((at * 7919) % 601);
        appendFileSync(path(), bytes.subarray(at, at + size));
        at += size;
        seen.push(...(await all(file)).seen);
        // Another agent goes on from what this one knew.
        const { state } = file;
        file = 'passes' in state ? new WandbFile(path(), state) : new EventFile(path(), state);
      }
      assert.deepEqual(seen, right);
    });

    it(`ends on any damage of ${name}, and takes nothing but what was logged`, async () => {
      const bytes = bytesOf(name);
      const { seen: right } = await all(make(join(FIXTURES, name)));
      const logged = new Set(right.map(each => JSON.stringify(each)));
      let less = 0;
      for (let at = 0; at < bytes.length; at += Math.ceil(bytes.length / 150)) {
        const damaged = Buffer.from(bytes);
        damaged[at] = (damaged[at] ?? 0) ^ 0xff;
        writeFileSync(path(), damaged);
        const file = make(path());
        const { seen, how } = await all(file);
        assert.ok(seen.every(each => logged.has(JSON.stringify(each))));
        less += seen.length < right.length || how === 'damaged' || file.state.wrong > 0 ? 1 : 0;
      }
      assert.ok(less > 50, 'damage is found');
    });
  }

  it('passes over a record that is too long for figures, and reads what comes after it', async () => {
    const bytes = bytesOf('tensorboardx.tfevents.bin');
    const { seen: right } = await all(new EventFile(join(FIXTURES, 'tensorboardx.tfevents.bin')));
    const header = Buffer.alloc(12);
    header.writeBigUInt64LE(BigInt(LONG), 0);
    header.writeUInt32LE(maskedOf(header.subarray(0, 8)), 8);
    writeFileSync(path(), Buffer.concat([header, Buffer.alloc(LONG + 4), bytes]));
    assert.deepEqual((await all(new EventFile(path()))).seen, right);
  });

  it('is held up by no pipe, no folder and no missing file', async function () {
    if (process.platform === 'win32') {
      this.skip();
    }
    execFileSync('mkfifo', [path()]);
    for (const where of [path(), folder, join(folder, 'none')]) {
      assert.deepEqual(await all(new EventFile(where)), { seen: [], how: 'end' });
      assert.deepEqual(await all(new WandbFile(where)), { seen: [], how: 'end' });
    }
  });

  it('finds them below a folder, follows no link, and says when there is too much', async () => {
    mkdirSync(join(folder, 'runs/a'), { recursive: true });
    mkdirSync(join(folder, 'wandb/offline-run-1'), { recursive: true });
    mkdirSync(join(folder, '.hidden'));
    const names = [
      'runs/a/events.out.tfevents.1.host',
      'events.out.tfevents.2.host.7.0',
      'wandb/offline-run-1/run-1.wandb',
    ];
    for (const name of [...names, '.hidden/events.out.tfevents.3', 'runs/other.txt']) {
      writeFileSync(join(folder, name), '');
    }
    symlinkSync(folder, join(folder, 'again'));
    const { files, isCut } = await findMetricFiles(folder);
    assert.equal(isCut, false);
    assert.deepEqual(
      files.map(file => [file.path, file.kind]),
      [
        [join(folder, names[1] ?? ''), 'tensorboard'],
        [join(folder, names[0] ?? ''), 'tensorboard'],
        [join(folder, names[2] ?? ''), 'wandb'],
      ],
    );
    for (let at = 0; at < 250; at++) {
      writeFileSync(join(folder, `events.out.tfevents.9.${at.toString()}`), '');
    }
    assert.equal((await findMetricFiles(folder)).isCut, true);
  });
});

/** CRC-32C bit by bit, and TensorFlow's mask over it: another way than that of what is tested. */
function maskedOf(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    for (let bit = 0; bit < 8; bit++) {
      const isSet = ((crc ^ (byte >>> bit)) & 1) === 1;
      crc = (crc >>> 1) ^ (isSet ? 0x82f63b78 : 0);
    }
  }
  crc = ~crc >>> 0;
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}
