import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EndedJournals } from '../../src/agent/kernels/ended-journals.ts';
import { VirtualClock } from '@hitch/platform/src/clock.ts';
import { silentLog } from '@hitch/platform/src/log.ts';

const HOUR_MS = 3_600_000;

describe('hostile: journals of kernels that have ended', () => {
  let folder: string;
  const clock = new VirtualClock();

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hitch-ended-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const make = (kernelId: string, bytes: number, hoursAgo: number): void => {
    const place = join(folder, kernelId);
    mkdirSync(place);
    writeFileSync(join(place, 'x.journal'), Buffer.alloc(bytes));
    const at = (clock.now() - hoursAgo * HOUR_MS) / 1000;
    utimesSync(join(place, 'x.journal'), at, at);
    utimesSync(place, at, at);
  };
  const open = (maxBytesEnded: number): EndedJournals =>
    new EndedJournals({
      folder,
      limits: { maxAgeMs: 48 * HOUR_MS, maxBytesEnded },
      clock,
      log: silentLog,
    });
  const left = (): string[] => readdirSync(folder).filter(name => !name.includes('.'));

  it('are bounded in bytes together, the oldest going first, and those of kernels that live are not touched', async () => {
    make('kernel-live', 5_000, 40);
    make('kernel-old1', 1_000, 30);
    make('kernel-old2', 1_000, 20);
    make('kernel-new1', 1_000, 1);
    const closed: string[] = [];
    const journals = open(2_000);
    await journals.sweep(
      kernelId => kernelId === 'kernel-live',
      async kernelId => {
        assert.ok(existsSync(join(folder, kernelId)), 'it is let go of before it is removed');
        closed.push(kernelId);
      },
    );
    assert.deepEqual(closed, ['kernel-old1']);
    assert.deepEqual(left(), ['kernel-live', 'kernel-new1', 'kernel-old2']);
  });

  it('are said to have gone when somebody asks, with how much and why, also by the agent that comes after', async () => {
    make('kernel-aged', 3_000, 100);
    make('kernel-large', 40_000, 2);
    make('kernel-last', 500, 1);
    await open(10_000).sweep(
      () => false,
      async () => undefined,
    );
    const later = open(10_000);
    assert.equal(
      later.whyGone('kernel-aged')?.message,
      'The 3 kB that kernel kernel-aged left are no longer kept: it was older than 48 h.',
    );
    assert.equal(
      later.whyGone('kernel-large')?.message,
      'The 40 kB that kernel kernel-large left are no longer kept: the output of ended kernels may take 10 kB on the machine, and it was the oldest.',
    );
    assert.equal(later.whyGone('kernel-last'), null);
    assert.equal(later.whyGone('kernel-never'), null);
    assert.deepEqual(left(), ['kernel-last']);
  });

  it('begins a list anew where the last one cannot be read, and leaves what is no journal alone', async () => {
    writeFileSync(join(folder, 'dropped.json'), '{"half');
    writeFileSync(join(folder, 'a.file.of.somebody'), 'x');
    make('kernel-aged', 3_000, 100);
    const journals = open(10_000);
    await journals.sweep(
      () => false,
      async () => undefined,
    );
    assert.notEqual(open(10_000).whyGone('kernel-aged'), null);
    assert.ok(existsSync(join(folder, 'a.file.of.somebody')));
  });

  it('go on being dropped, and being noted, where one of them cannot go', async () => {
    make('kernel-aged1', 1_000, 102);
    make('kernel-stuck', 1_000, 101);
    make('kernel-aged2', 1_000, 100);
    const warned: string[] = [];
    const journals = new EndedJournals({
      folder,
      limits: { maxAgeMs: 48 * HOUR_MS, maxBytesEnded: 10_000 },
      clock,
      log: { ...silentLog, warn: (text, fields) => warned.push(`${text} ${JSON.stringify(fields)}`) },
    });
    const letGo = async (kernelId: string): Promise<void> => {
      if (kernelId === 'kernel-stuck') {
        throw new Error('EBUSY: resource busy');
      }
    };
    await journals.sweep(() => false, letGo);
    assert.deepEqual(left(), ['kernel-stuck']);
    const later = open(10_000);
    assert.notEqual(later.whyGone('kernel-aged1'), null);
    assert.notEqual(later.whyGone('kernel-aged2'), null);
    assert.equal(later.whyGone('kernel-stuck'), null);
    assert.ok(
      warned.some(text => text.includes('kernel-stuck') && text.includes('EBUSY')),
      warned.join('\n'),
    );
    await journals.sweep(
      () => false,
      async () => undefined,
    );
    assert.deepEqual(left(), []);
  });
});
