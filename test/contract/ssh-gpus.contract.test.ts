/** Some of a machine's GPUs for one use, the others for another: across two computers, and in what its programs see. */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Offer } from '@hitch/contract';
import { priceOf } from '../../backend-proxy/src/providers/provider.ts';
import { listLeases } from '../../backend-proxy/src/providers/ssh/leases.ts';
import { nvidiaSmiOf } from '../../backend-proxy/test/machines/far/looks.ts';
import { needsOpenssh } from '../support/openssh.ts';
import { aRequest, isFailure, signal } from './provider-rig.ts';
import { anSshNetwork, type SshSubject } from './ssh-rig.ts';

const EIGHT = Array.from({ length: 8 }, () => 'NVIDIA H100 80GB HBM3');

describe('the GPUs of a machine of one’s own', function suite() {
  this.timeout(120_000);
  let subject: SshSubject;

  before(function check() {
    needsOpenssh(this);
  });

  beforeEach(async () => {
    subject = await anSshNetwork({ bashrc: 'export PATH="$HOME/../bin:$PATH"\n' });
    mkdirSync(join(subject.machine.folder, 'bin'));
    shows(EIGHT);
  });

  afterEach(() => subject.dispose());

  const shows = (models: readonly string[]): void => {
    const bin = join(subject.machine.folder, 'bin');
    const program = join(bin, 'nvidia-smi');
    writeFileSync(program, `#!/bin/sh\ncat <<'END'\n${nvidiaSmiOf(models)}END\n`);
    [bin, program].forEach(path => chmodSync(path, 0o755));
  };
  const offers = async (): Promise<readonly Offer[]> => subject.another().offers(signal);
  const offerOf = async (count: number): Promise<Offer> => {
    const found = (await offers()).find(({ gpuCount }) => gpuCount === count);
    assert.ok(found !== undefined);
    return found;
  };
  const take = async (offer: Offer, provider = subject.another()) =>
    provider.create(await aRequest(provider, offer), signal);
  const leases = async (): Promise<readonly (readonly string[])[]> =>
    (await subject.ask(shell => listLeases(shell, signal))).map(({ gpuIds }) => gpuIds);

  it('are offered by the number, each at its share of the price, and as far as they are free', async () => {
    const of = async () =>
      (await offers()).map(({ gpuCount, stock, pricePerHourMicroUsd }) => [
        gpuCount,
        stock,
        pricePerHourMicroUsd,
      ]);
    assert.deepEqual(await of(), [
      [8, 1, '500000'],
      [4, 2, '250000'],
      [2, 4, '125000'],
      [1, 8, '62500'],
      [0, 8, '500000'],
    ]);
    assert.equal(priceOf(await take(await offerOf(2))), 125_000n);
    assert.deepEqual(await of(), [
      [6, 1, '375000'],
      [4, 1, '250000'],
      [2, 3, '125000'],
      [1, 6, '62500'],
      [0, 7, '500000'],
    ]);
  });

  it('are taken to the last one, whatever number is left', async () => {
    await take(await offerOf(1));
    await take(await offerOf(2));
    assert.equal(priceOf(await take(await offerOf(5))), 312_500n);
    assert.deepEqual(
      (await offers()).map(({ gpuCount }) => gpuCount),
      [0],
    );
    assert.equal(new Set((await leases()).flat()).size, 8);
  });

  it('are never those of another use, whoever comes at once', async () => {
    const four = await offerOf(4);
    const taken = await Promise.allSettled([take(four), take(four), take(four)]);
    const failed = taken.filter(result => result.status === 'rejected');
    assert.ok(failed.length >= 1, 'twelve of eight cannot be had');
    failed.forEach(({ reason }) => assert.ok(isFailure('capacity')(reason)));
    const ids = (await leases()).flat();
    assert.equal(new Set(ids).size, ids.length);
    assert.equal(ids.length, 4 * (taken.length - failed.length));
  });

  it('are refused by name of who has them, and free when that use ends', async () => {
    const [eight, one] = [await offerOf(8), await offerOf(1)];
    const { id } = await take(one);
    await assert.rejects(take(eight), (error: unknown) => {
      assert.match(String(error), /The GPUs of gpu-box are in use by \S+@\S+\. Wait, or take it with fewer/);
      return isFailure('capacity')(error);
    });
    await subject.provider.destroy(id, signal);
    await take(eight);
    assert.equal((await leases()).flat().length, 8);
  });

  it('are taken of one model', async () => {
    shows(['NVIDIA H100 80GB HBM3', 'NVIDIA GeForce RTX 4090', 'NVIDIA GeForce RTX 4090']);
    assert.deepEqual(
      (await offers()).map(({ gpuCount, gpuModel, stock }) => [gpuCount, gpuModel, stock]),
      [
        [3, 'H100 80GB HBM3', 1],
        [1, 'H100 80GB HBM3', 1],
        [2, 'RTX 4090', 1],
        [1, 'RTX 4090', 2],
        [0, null, 4],
      ],
    );
    await take(await offerOf(2));
    assert.deepEqual(await leases(), [['GPU-1', 'GPU-2']]);
  });

  it('are refused where the machine has not so many any more', async () => {
    const eight = await offerOf(8);
    shows(EIGHT.slice(1));
    await assert.rejects(take(eight), isFailure('capacity'));
    assert.deepEqual(await leases(), []);
  });
});
