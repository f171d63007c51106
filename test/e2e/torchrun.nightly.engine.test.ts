/**
 * torch's own launcher over two nodes, with torch itself: 3 GB of packages come from the index once (uv's cache is shared), so it
 * is for the night and for computers with room.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DaemonHome } from '../support/daemon-home.ts';
import { needsRealNodes, skip } from '../support/processes.ts';

const NEEDS_GB = 15;
const TRAIN = `
import json, torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel
dist.init_process_group("gloo")
rank = dist.get_rank()
total = torch.tensor([float(rank + 1)])
dist.all_reduce(total)
print("sum", total.item(), "of", dist.get_world_size(), flush=True)
torch.manual_seed(rank)
model = DistributedDataParallel(torch.nn.Linear(4, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for step in range(1, 41):
    x = torch.randn(32, 4)
    loss = ((model(x) - x.sum(1, keepdim=True)) ** 2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if rank == 0:
        print(json.dumps({"step": step, "loss": loss.item()}), flush=True)
weights = torch.cat([each.flatten() for each in model.parameters()])
print("weights", round(weights.sum().item(), 6), flush=True)
dist.destroy_process_group()
`;

describe('torchrun over two nodes', function () {
  this.timeout(1_800_000);
  const home = new DaemonHome({ HITCH_PROVIDERS: 'local,sandbox' });
  let folder: string | undefined;

  before(async function () {
    needsRealNodes(this);
    const { bavail, bsize } = statfsSync(tmpdir());
    const freeGb = (bavail * bsize) / 1e9;
    if (freeGb < NEEDS_GB) {
      skip(this, `torch needs ${NEEDS_GB.toString()} GB of disk, and ${freeGb.toFixed(0)} are free`);
    }
    folder = mkdtempSync(join(tmpdir(), 'ht-'));
    await home.start();
  });

  after(async () => {
    await home.dispose();
    if (folder !== undefined) {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('trains one model on both, each rank by its name in one log', async () => {
    const { environment, problems } = await home.api.environments.lock({
      file: { name: 'requirements.txt', text: 'torch\nnumpy\nipykernel==7.4.0\n' },
      engine: 'ray',
      platform: 'this-computer',
    });
    assert.deepEqual(problems, []);
    assert.ok(environment !== null);
    const filter = { practice: 'only', multiNode: true } as const;
    const { id } = await home.rent({ filter, nodes: 2, engine: 'ray', environment: environment.id }, 'pair');
    await home.untilCluster(
      id,
      'Ray on both machines',
      found => found.conditions.engine.status === 'yes',
      1_200_000,
    );
    writeFileSync(join(folder ?? '', 'train.py'), TRAIN);
    const sent = await home.cli(['cp', join(folder ?? '', 'train.py'), 'pair:code/train.py']);
    assert.equal(sent.code, 0, sent.stderr);
    const where = ['--name', 'ddp', '--no-send', '--folder', 'code'];
    const ran = await home.cli(['job', 'run', 'pair', ...where, '--torchrun', '--', 'train.py']);
    assert.equal(ran.code, 0, ran.stdout + ran.stderr);
    for (const rank of [0, 1]) {
      assert.match(ran.stdout, new RegExp(`^\\[rank ${rank.toString()}\\] sum 3\\.0 of 2$`, 'm'));
    }
    const losses = [...ran.stdout.matchAll(/^\[rank 0\] \{"step": \d+, "loss": ([\d.e-]+)\}$/gm)].map(
      ([, loss]) => Number(loss),
    );
    assert.equal(losses.length, 40);
    assert.ok((losses.at(-1) ?? 1) < (losses[0] ?? 0) / 10, losses.join(' '));
    const weights = [...ran.stdout.matchAll(/^\[rank [01]\] weights (\S+)$/gm)].map(([, sum]) => sum);
    assert.equal(weights.length, 2);
    assert.equal(weights[0], weights[1], 'both have the same model');
  });
});
