/** `npm run bench [-- --only a,b]`: measures, prints one JSON line per figure, and says on standard error which were missed. */
import { parseArgs } from 'node:util';
import type { Benchmark } from './figure.ts';
import { agentMemory } from './figures/agent-memory.ts';
import { environmentBuild } from './figures/environment-build.ts';
import { farBootstrap } from './figures/far-bootstrap.ts';
import { farMemory } from './figures/far-memory.ts';
import { jupyterBundle } from './figures/jupyter-bundle.ts';
import { jupyterStarts } from './figures/jupyter-start.ts';
import { jobFirstLine, logReplay } from './figures/jobs.ts';
import { kernelPath } from './figures/kernel-path.ts';
import { launches } from './figures/launches.ts';
import { launchesAtNetworks } from './figures/launches-at-networks.ts';
import { liveInstances } from './figures/live-instances.ts';
import { networksRefresh } from './figures/networks-refresh.ts';
import { metricsPoints } from './figures/metrics.ts';
import { offersQuery } from './figures/offers-query.ts';
import { offerTable } from './figures/offer-table.ts';
import { daemonMemory } from './figures/daemon-memory.ts';
import { ports } from './figures/ports.ts';
import { purchaseToReady } from './figures/purchase-to-ready.ts';
import { farFirstCell, firstCell, rayReady } from './figures/start-times.ts';
import { sshProxy } from './figures/ssh-proxy.ts';
import { templateIndex } from './figures/template-index.ts';
import { transfer } from './figures/transfer.ts';
import { tunnel, tunnelReopen } from './figures/tunnel.ts';
import { useOverTime } from './figures/use.ts';
import { vscodeExtension } from './figures/vscode.ts';

const benchmarks: readonly Benchmark[] = [
  offersQuery,
  networksRefresh,
  daemonMemory,
  agentMemory,
  launches,
  launchesAtNetworks,
  liveInstances,
  kernelPath,
  firstCell,
  rayReady,
  offerTable,
  templateIndex,
  jupyterBundle,
  ...jupyterStarts,
  sshProxy,
  transfer,
  tunnel,
  tunnelReopen,
  ports,
  environmentBuild,
  jobFirstLine,
  logReplay,
  metricsPoints,
  useOverTime,
  farBootstrap,
  farFirstCell,
  farMemory,
  purchaseToReady,
  vscodeExtension,
];

const { values } = parseArgs({ options: { only: { type: 'string' } } });
const wanted = values.only?.split(',').map(name => name.trim());
const known = benchmarks.flatMap(({ names }) => names);
const unknown = wanted?.filter(name => !known.includes(name)) ?? [];
if (unknown.length > 0) {
  process.stderr.write(`No such figure: ${unknown.join(', ')}. There are: ${known.join(', ')}.\n`);
  process.exit(2);
}

let measured = 0;
let missed = 0;
for (const benchmark of benchmarks) {
  if (wanted !== undefined && !benchmark.names.some(name => wanted.includes(name))) {
    continue;
  }
  const figures = await benchmark.run(progress =>
    process.stderr.write(`${benchmark.names.join(', ')}: ${progress}\n`),
  );
  for (const figure of figures) {
    process.stdout.write(`${JSON.stringify(figure)}\n`);
    measured += 1;
    missed += figure.met ? 0 : 1;
  }
}
const verdict = missed === 0 ? 'Every figure is met.' : `${missed.toString()} figures are missed.`;
process.stderr.write(`${measured === 0 ? 'Nothing was measured.' : verdict}\n`);
