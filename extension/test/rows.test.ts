import assert from 'node:assert/strict';
import { CLUSTER_PHASES, type Node } from '@hitch/contract';
import {
  clusterOfRow,
  clusterRow,
  kernelRow,
  nodeRow,
  ordered,
  rowsBelow,
  useOf,
} from '../src/clusters/rows.ts';
import { notebookName, stopWarning } from '../src/kernel/notebooks.ts';
import { cheapestPerGpu, offerOfRow, offerRow, searchRow } from '../src/offers/searches.ts';
import { storedSearches } from '../src/offers/stored.ts';
import { presetPriceWords } from '@hitch/contract';
import { StatusLine, tooltip } from '../src/status/status-bar.ts';
import { difference } from '../src/tree/row.ts';
import { cluster, CLUSTER_ID, clusterId, kernel, node, NOW, offer } from './sample.ts';

const context = { nowMs: NOW, titleOf: (id: string) => (id === 'vast' ? 'Vast' : id) };
const page = (...offers: ReturnType<typeof offer>[]) => ({
  offers,
  matched: offers.length,
  total: 9_880,
  sources: [],
  hint: null,
});

describe('the rows of the Clusters view', () => {
  it('say the line of all clients, the money first, and carry what can be done', () => {
    const row = clusterRow(cluster(), context);
    assert.equal(row.description, '$1.13 of $2.00 spent, Ready, stops 18:10');
    assert.equal(row.contextValue, 'cluster;ready;runOn;terminal;files;extend;stop');
    assert.equal(row.spoken, 'Cluster llm-dev: Ready, $1.13 of $2.00 spent, stops 18:10');
    assert.deepEqual(row.tooltip(), ['llm-dev, 1× RTX 4090, 24 GB, Vast, ready', '$1.13 of $2.00']);
  });

  it('say what one that is gone has cost before the rest', () => {
    const row = clusterRow(cluster({ phase: 'stopped', endedAtMs: NOW }, { clean: true }), context);
    assert.match(row.description, /^\$1\.13 total, gone, confirmed /);
    assert.match(row.spoken, /^Cluster llm-dev: Gone, confirmed .*, \$1\.13 total$/);
  });

  it('have an icon and a line in every phase', () => {
    for (const phase of CLUSTER_PHASES) {
      const row = clusterRow(cluster({ phase }), context);
      assert.ok(row.icon !== null && row.description !== '', phase);
    }
  });

  it('warn of what is over but not confirmed gone', () => {
    assert.equal(clusterRow(cluster({ phase: 'stopped' }), context).icon?.name, 'warning');
    assert.equal(
      clusterRow(cluster({ phase: 'stopped' }, { clean: true }), context).icon?.name,
      'circle-outline',
    );
  });

  it('do not read out seconds', () => {
    const row = clusterRow(cluster({ phase: 'purchasing', phaseSinceMs: NOW - 14_000 }), context);
    assert.match(row.description, /0:14$/);
    assert.doesNotMatch(row.spoken, /0:14/);
  });

  it('put what costs first, then the newest', () => {
    const gone = cluster({ id: clusterId(1), phase: 'stopped', createdAtMs: NOW + 9 }, { clean: true });
    const doubtful = cluster({ id: clusterId(2), phase: 'failed', createdAtMs: NOW + 8 });
    const older = cluster({ id: clusterId(3), createdAtMs: NOW - 5 });
    const newer = cluster({ id: clusterId(4), createdAtMs: NOW });
    assert.deepEqual(ordered([gone, doubtful, older, newer]), [newer, older, doubtful, gone]);
  });

  it('show GPU use of a node, and processor and memory where no driver speaks', () => {
    const signals = {
      atMs: NOW,
      cpuPercent: 12,
      cpuCores: 8,
      memoryUsedMiB: 4_096,
      memoryTotalMiB: 65_536,
      diskUsedMiB: 0,
      diskTotalMiB: 0,
      gpus: [
        { index: 0, name: 'RTX 4090', utilizationPercent: 87, vramUsedMiB: 19_456, vramTotalMiB: 24_564 },
      ],
    };
    assert.equal(useOf({ signals }), 'GPU 87 %, 19/24 GB');
    assert.equal(useOf({ signals: { ...signals, gpus: [] } }), 'CPU 12 %, 4/64 GB');
    const lost = nodeRow(
      cluster({ nodes: [node(), node({ index: 1 })] }),
      node({ index: 1, phase: 'unreachable' }),
      NOW,
    );
    assert.deepEqual(
      [lost.label, lost.description, lost.icon?.name],
      ['Worker 1: 1× RTX 4090, 24 GB', 'no answer', 'warning'],
    );
  });

  it('show a machine that is only counted as one with which nothing is wrong', () => {
    const attempt = { adopted: 'watched', state: 'owned' } as Node['attempts'][number];
    const silent = node({ phase: 'unreachable' });
    const watched = node({ phase: 'unreachable', attempts: [attempt] });
    const icon = (of: typeof silent) =>
      clusterRow(cluster({ phase: 'unreachable', nodes: [of] }), context).icon;
    assert.deepEqual(icon(watched), { name: 'eye' });
    assert.equal(icon(silent)?.color, 'list.errorForeground');
  });

  it('say in a node’s tip what is waited for, and until when, once it takes long', () => {
    const booting = node({
      phase: 'booting',
      message: 'The network fetches the image.',
      phaseSinceMs: NOW - 120_000,
      waitsUntilMs: NOW + 780_000,
    });
    const [, said = ''] = nodeRow(cluster({ nodes: [booting] }), booting, NOW).tooltip();
    assert.match(said, /^The network fetches the image; Hitch gives up at \d\d:\d\d$/);
    const [, soon = ''] = nodeRow(cluster(), { ...booting, phaseSinceMs: NOW - 1_000 }, NOW).tooltip();
    assert.equal(soon, 'The network fetches the image.');
  });

  it('show kernels by their notebooks, only where a notebook can run', () => {
    assert.equal(kernelRow(cluster(), kernel(), NOW).label, 'train.ipynb');
    assert.equal(rowsBelow(cluster(), [kernel()], NOW).length, 3);
    assert.equal(rowsBelow(cluster({ phase: 'stopping' }), [kernel()], NOW).length, 2);
  });

  it('offer to end a save that a stop waits for, and no other', () => {
    const saving = { files: 10, bytes: 40, doneFiles: 3, doneBytes: 12, untilMs: null, problem: null };
    const words = (change: Parameters<typeof cluster>[0]) =>
      clusterRow(cluster(change), context).contextValue.split(';');
    assert.ok(words({ phase: 'stopping', saving }).includes('endSave'));
    assert.ok(!words({ phase: 'stopping' }).includes('endSave'));
    assert.ok(!words({ phase: 'ready', saving }).includes('endSave'));
  });

  it('say what it costs in a row of its own', () => {
    const [cost] = rowsBelow(cluster(), [], NOW);
    assert.deepEqual([cost?.label, cost?.description], ['$1.13 of $2.00', '$0.42/h, stops 18:10']);
    assert.equal(clusterOfRow(cost?.id ?? ''), CLUSTER_ID);
  });

  it('know their cluster, also from below', () => {
    assert.equal(clusterOfRow(`cluster:${CLUSTER_ID}`), CLUSTER_ID);
    assert.equal(clusterOfRow(`kernel:${CLUSTER_ID}:k1`), CLUSTER_ID);
    assert.equal(clusterOfRow('offer:x:vast:1'), null);
  });

  it('differ only where they look different', () => {
    const before = [clusterRow(cluster(), context)];
    assert.deepEqual(difference(before, [clusterRow(cluster(), context)]), { structure: false, changed: [] });
    assert.deepEqual(difference(before, [clusterRow(cluster({ phase: 'stopping' }), context)]).changed, [
      `cluster:${CLUSTER_ID}`,
    ]);
    assert.equal(difference(before, []).structure, true);
  });
});

describe('the question before a stop', () => {
  it('names the notebooks and the busy ones', () => {
    assert.equal(notebookName('a/b/train.ipynb-jvsc-0b5d2d1e-7f2c-4f5e-9a9b-0c2f6d6f7a11'), 'train.ipynb');
    assert.equal(stopWarning([], []), null);
    assert.match(stopWarning([kernel({ state: 'busy' })], []) ?? '', /^train\.ipynb runs on it, one is busy/);
    assert.match(
      stopWarning([kernel()], ['train.ipynb', 'eval.ipynb']) ?? '',
      /^train\.ipynb and eval\.ipynb run on it:/,
    );
    assert.match(stopWarning([kernel({ path: null })], []) ?? '', /^1 kernel runs on it/);
  });
});

describe('the Offers view', () => {
  it('keeps the cheapest of each GPU', () => {
    const offers = [offer(), offer({ id: 'vast:2' }), offer({ id: 'vast:3', gpuModel: 'H100' })];
    assert.deepEqual(
      cheapestPerGpu(offers).map(({ id }) => id),
      ['vast:1', 'vast:3'],
    );
  });

  it('says the price per GPU where there are several, and finds the offer of a row', () => {
    const search = { id: 'one-gpu', label: 'Cheapest GPU', nodes: 1, filter: {} };
    const row = offerRow(
      search,
      offer({ gpuCount: 4, pricePerHourMicroUsd: '1680000' }),
      context.titleOf,
      NOW,
    );
    assert.equal(row.description, '$1.68/h, $0.42/GPU-h, Vast DE');
    assert.deepEqual(offerOfRow(row.id), { searchId: 'one-gpu', offerId: 'vast:1' });
    assert.equal(row.contextValue, 'offer;real');
    const shown = offerRow(search, offer({ notRentable: 'It has no SSH.' }), context.titleOf, NOW);
    assert.match(shown.description ?? '', /, only shown$/);
    assert.equal(shown.contextValue, 'shown;real', 'no menu of it rents');
    assert.equal(shown.command, undefined);
    assert.ok(shown.tooltip?.().includes('⚠ It has no SSH.'));
  });

  it('counts for all nodes, and calls practice what it is', () => {
    assert.equal(presetPriceWords({ nodes: 2, filter: {} }, page(offer())), 'from $0.84/h, 1 offer');
    assert.equal(presetPriceWords({ nodes: 1, filter: {} }, page()), 'none available now');
    const practice = page(offer({ practice: true }), offer({ practice: true }));
    assert.equal(presetPriceWords({ nodes: 1, filter: { practice: 'only' } }, practice), '2 offers, free');
  });

  it('leaves out a stored search that does not read', () => {
    const good = { id: 'a', label: 'Mine', nodes: 1, filter: { minVramMiB: 24_000 } };
    assert.deepEqual(
      storedSearches([good, { id: 1 }, null]).map(({ label }) => label),
      ['Mine'],
    );
    assert.equal(searchRow({ ...good, own: true }, null).contextValue, 'search;own');
  });
});

describe('the status bar', () => {
  it('does not get narrower while it is shown, and warns', () => {
    const line = new StatusLine();
    const long = line.show([cluster()], NOW);
    assert.equal(long?.text, '1 GPU, $0.42/h, stops 18:10');
    const short = line.show(
      [cluster({ caps: { totalMicroUsd: '2000000', stopAtMs: null, idleMs: null } })],
      NOW,
    );
    assert.equal(short?.text.length, long.text.length);
    assert.equal(line.show([cluster({ phase: 'unreachable' })], NOW)?.warns, true);
    assert.equal(line.show([], NOW), null);
  });

  it('has a tooltip whose only links are commands, whatever a network calls its machines', () => {
    const evil = cluster({ nodes: [node({ title: '[x](command:evil) <b> ![i](http://a.b)' })] });
    const text = tooltip([evil], {
      ...context,
      monthMicroUsd: '41200000',
      lastHourOf: () => 'Last hour: ▁▇ CPU 34 %',
      kernelsOf: () => [kernel({ state: 'busy' })],
    });
    assert.doesNotMatch(text, /(?<!\\)\]\(command:evil/);
    assert.doesNotMatch(text, /(?<!\\)!\[/);
    assert.match(text, /\nLast hour\\: ▁▇ CPU 34 \\%/);
    assert.match(text, /November \\\$41\\\.20/);
    assert.match(text, /\[Stop…\]\(command:hitch\.cluster\.stop\?/);
  });
});
