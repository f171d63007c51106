/** A cluster's row in the words all faces use. */
import { parseMicroUsd, showDollars, type Cluster } from '@hitch/contract';
import { showClock, showElapsed } from './elapsed.ts';

const dollars = (amount: string): string => showDollars(parseMicroUsd(amount));

function renting({ nodes }: Cluster, since: string): string {
  const tried = Math.max(1, ...nodes.map(({ attempts }) => attempts.length));
  return tried > 1 ? `Renting, try ${tried}, ${since}` : `Renting, ${since}`;
}

function installing({ message, conditions }: Cluster, since: string): string {
  const billing = conditions.billing.status === 'yes' ? ', billing' : '';
  return `${message === '' ? 'Starting the machines' : message.replace(/\.$/, '')}, ${since}${billing}`;
}

function starting({ conditions, engine, message }: Cluster, since: string): string {
  const notebook =
    conditions.kernel.status === 'yes' ? 'Notebook ready' : message.replace(/\.$/, '') || 'Notebook starting';
  const ray =
    engine === 'ray' && conditions.engine.message !== ''
      ? `, ${conditions.engine.message.replace(/\.$/, '')}`
      : '';
  return `${notebook}${ray}, ${since}`;
}

function ready({ nodes, usage, caps }: Cluster): string {
  const use = nodes
    .flatMap(({ signals }) => signals?.gpus ?? [])
    .flatMap(({ utilizationPercent }) => (utilizationPercent === null ? [] : [utilizationPercent]));
  const gpu =
    use.length === 0 ? 'Ready' : `GPU ${Math.round(use.reduce((sum, part) => sum + part, 0) / use.length)} %`;
  const stop = caps.stopAtMs === null ? '' : `, stops ${showClock(caps.stopAtMs)}`;
  return `${gpu}, ${dollars(usage.accruedMicroUsd)}/${dollars(usage.capMicroUsd)}${stop}`;
}

function degraded({ nodes, phaseSinceMs }: Cluster): string {
  const lost = nodes.filter(({ phase }) => phase !== 'ready').length;
  return `${lost} of ${nodes.length} nodes lost ${showClock(phaseSinceMs)}`;
}

function gone({ usage, endedAtMs, conditions, phaseSinceMs }: Cluster): string {
  const total = `${dollars(usage.accruedMicroUsd)} total`;
  return conditions.cleanup.status === 'yes'
    ? `Gone, confirmed ${showClock(endedAtMs ?? phaseSinceMs)}, ${total}`
    : `Not confirmed gone, may still bill, ${total}`;
}

export function clusterLine(cluster: Cluster, nowMs: number): string {
  const since = showElapsed(nowMs - cluster.phaseSinceMs);
  const { usage } = cluster;
  switch (cluster.phase) {
    case 'requested':
    case 'purchasing':
      return renting(cluster, since);
    case 'bootstrapping':
      return installing(cluster, since);
    case 'starting':
      return starting(cluster, since);
    case 'ready':
      return ready(cluster);
    case 'degraded':
      return degraded(cluster);
    case 'unreachable':
      return `No answer since ${showClock(cluster.phaseSinceMs)}, assume ${dollars(usage.ratePerHourMicroUsd)}/h`;
    case 'stopping':
      return `${cluster.conditions.billing.status === 'yes' ? `Billing until ${providerOf(cluster)} confirms` : cluster.message || 'Stopping'}, ${since}`;
    case 'paused':
      return `Disk ${dollars(usage.ratePerHourMicroUsd)}/h, GPU may be taken`;
    case 'stopped':
    case 'expired':
      return gone(cluster);
    case 'failed': {
      const line = gone(cluster);
      return cluster.message === ''
        ? line
        : `${cluster.message.replace(/\.$/, '')}; ${line.charAt(0).toLowerCase()}${line.slice(1)}`;
    }
  }
}

const providerOf = ({ nodes }: Cluster): string =>
  nodes.map(({ provider }) => provider).find(provider => provider !== null) ?? 'the network';
