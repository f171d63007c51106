/**
 * A cluster in words: the one table that the CLI, JupyterLab and VS Code all show. Pure functions over what travels;
 * `titleOf` gives a network's name as people know it.
 */
import type { Cluster, ClusterPhase, Node } from './clusters.ts';
import { savingWords } from './copy-words.ts';
import { agreedRate, waitWords } from './waiting-words.ts';
import { shownName } from './shown/text.ts';
import { bytes, clause, clock, costOfRun, dollars, duration, elapsed, gigabytes } from './format.ts';

export type TitleOf = (provider: string) => string;
const asIs: TitleOf = provider => provider;

export const PHASE_WORDS = {
  requested: 'Renting',
  purchasing: 'Renting',
  bootstrapping: 'Installing',
  starting: 'Starting',
  ready: 'Ready',
  degraded: 'Degraded',
  unreachable: 'No answer',
  stopping: 'Stopping',
  paused: 'Paused',
  stopped: 'Stopped',
  expired: 'Expired',
  failed: 'Failed',
} as const satisfies Record<ClusterPhase, string>;

export const ACTION_WORDS = {
  cancel: 'Cancel',
  logs: 'Logs',
  runOn: 'Run on…',
  terminal: 'Terminal',
  files: 'Files',
  extend: 'Extend…',
  stop: 'Stop',
  replace: 'Replace…',
  retry: 'Retry',
  openProvider: 'Open network',
  resume: 'Resume…',
  startAgain: 'Start again…',
  nextOffer: 'Try a similar offer…',
  remove: 'Remove from list',
} as const;
export type ClusterAction = keyof typeof ACTION_WORDS;

/** The words on an action's button; the network is named where it is meant. */
export function actionLabel(action: ClusterAction, cluster: Cluster, titleOf: TitleOf = asIs): string {
  return action === 'openProvider' ? `Open ${network(cluster, titleOf)}` : ACTION_WORDS[action];
}

/** What a person can do with the cluster now, the likeliest first. */
export function clusterActions(cluster: Cluster): ClusterAction[] {
  const notebook: ClusterAction[] = cluster.conditions.kernel.status === 'yes' ? ['runOn'] : [];
  const clean = cluster.conditions.cleanup.status === 'yes';
  switch (cluster.phase) {
    case 'requested':
    case 'purchasing':
      return ['cancel'];
    case 'bootstrapping':
      return ['logs', 'cancel'];
    case 'starting':
      return [...notebook, 'logs', 'stop'];
    case 'ready':
      return ['runOn', 'terminal', 'files', 'extend', 'stop'];
    case 'degraded':
      return ['replace', ...notebook, 'logs', 'stop'];
    case 'unreachable':
      return isOnlyWatched(cluster) ? ['extend', 'stop'] : ['retry', 'stop'];
    case 'stopping':
      return ['openProvider'];
    case 'paused':
      return ['resume', 'stop'];
    case 'stopped':
    case 'expired':
      return clean ? ['startAgain', 'remove'] : ['openProvider', 'stop'];
    case 'failed':
      return clean ? ['nextOffer', 'logs', 'remove'] : ['openProvider', 'logs', 'stop'];
  }
}

/** It was adopted to be counted and ended: nobody asks it for anything, so that it does not answer says nothing. */
export const isOnlyWatched = ({ nodes }: Pick<Cluster, 'nodes'>): boolean =>
  nodes.some(({ attempts }) =>
    attempts.some(({ adopted, state }) => adopted === 'watched' && state === 'owned'),
  );

/** It is asked and does not answer. */
export const isSilent = (cluster: Pick<Cluster, 'nodes' | 'phase'>): boolean =>
  cluster.phase === 'unreachable' && !isOnlyWatched(cluster);

/** What is known besides the cluster itself, where a client has it at hand. */
export interface LineContext {
  readonly titleOf?: TitleOf;
  /** How many offers the quote holds. */
  readonly candidates?: number;
  /** How long such a machine usually takes from purchase to the first cell. */
  readonly usuallyMs?: number | null;
  /** What was spent stands first, where the line's end may be cut off. */
  readonly moneyFirst?: boolean;
  /** The time it takes stands beside the line, which does not say it again. */
  readonly hasClock?: boolean;
}

const NO_RETURN = '⚠ not back by itself after a reboot';

/** The cluster's row. */
export function clusterLine(cluster: Cluster, nowMs: number, context: LineContext = {}): string {
  const { usage, conditions, message } = cluster;
  const titleOf = context.titleOf ?? asIs;
  const since = context.hasClock === true ? '' : `, ${elapsed(nowMs - cluster.phaseSinceMs)}`;
  const [head] = cluster.nodes;
  const waits = head === undefined ? null : waitWords(head, nowMs);
  const waiting = waits === null || head?.phase !== 'booting' ? '' : `: ${waits}`;
  const spent = `${dollars(costOfRun(usage))} of ${dollars(usage.capMicroUsd)} spent`;
  switch (cluster.phase) {
    case 'requested':
    case 'purchasing': {
      const offers = cluster.nodes.map(
        ({ attempts }) => new Set(attempts.map(({ offerId }) => offerId)).size,
      );
      const tried = Math.max(1, ...offers);
      const of = context.candidates === undefined ? '' : ` of ${Math.max(tried, context.candidates)}`;
      // Where the network does not answer, or all are taken for a moment, the same ones are tried in turn.
      const isAgain = cluster.nodes.some(({ attempts }, at) => attempts.length > (offers[at] ?? 0));
      return `Renting, offer ${tried}${of}${isAgain ? ', tried again' : ''}${since}${waiting}`;
    }
    case 'bootstrapping': {
      const usually =
        context.usuallyMs === undefined || context.usuallyMs === null
          ? ''
          : ` (usually ${duration(context.usuallyMs)})`;
      const costs = conditions.billing.status === 'yes' && usage.ratePerHourMicroUsd !== '0';
      const billing = costs ? ', billing' : '';
      const end = waits === null ? '' : `; ${waits.replace(/^.*; /, '')}`;
      return `${clause(message) || 'Installing packages'}${since}${usually}${billing}${end}`;
    }
    case 'starting': {
      const notebook = conditions.kernel.status === 'yes' ? 'Notebook ready' : 'Starting the notebook server';
      return cluster.engine === 'ray' ? `${notebook}, ${rayWords(cluster)}` : `${notebook}${since}`;
    }
    case 'ready': {
      const use = gpuUse(cluster);
      const stop = stopsAtMs(cluster);
      const back = comesBackWords(usage);
      const state = use === null ? 'Ready' : `GPU ${use} %`;
      return [
        ...(context.moneyFirst === true ? [spent, state] : [state, spent]),
        ...(stop === null ? [] : [`stops ${clock(stop, nowMs)}`]),
        ...(back === null ? [] : [back]),
        ...(cluster.nodes.some(({ machine }) => machine?.returnsAfterReboot === false) ? [NO_RETURN] : []),
      ].join(', ');
    }
    case 'degraded': {
      const lost = cluster.nodes.filter(({ phase }) => phase !== 'ready').length;
      return `${lost} of ${cluster.nodes.length} nodes lost ${clock(cluster.phaseSinceMs, nowMs)}`;
    }
    case 'unreachable':
      if (isOnlyWatched(cluster)) {
        const stop = stopsAtMs(cluster);
        return `Only counted, ${spent}${stop === null ? '' : `, ends ${clock(stop, nowMs)}`}`;
      }
      return `No answer since ${clock(cluster.phaseSinceMs, nowMs)}, may still bill ${dollars(agreedRate(usage))}/h`;
    case 'stopping':
      if (cluster.saving !== null) {
        return savingWords(cluster.saving, nowMs);
      }
      return conditions.billing.status === 'no'
        ? `${clause(message) || 'Stopping'}${since}`
        : `${clause(conditions.billing.message) || `Billing until ${network(cluster, titleOf)} confirms`}${since}`;
    case 'paused':
      return `Disk ${dollars(usage.ratePerHourMicroUsd)}/h, somebody else may get the GPU`;
    case 'stopped':
    case 'expired':
      return capital(goneWords(cluster, nowMs, titleOf, true, context.moneyFirst));
    case 'failed':
      return `${clause(message) || 'Failed'}; ${isGone(cluster) && usage.accruedMicroUsd === '0' ? FREE : goneWords(cluster, nowMs, titleOf, false)}`;
  }
}

/**
 * What stands before the end of a log; null where nothing is missing. Of a log that is exactly as long nobody can say it.
 * @param asked for so many bytes of it
 */
export function logCutLine(
  text: string,
  asked: number,
  { cluster, name, node }: { readonly cluster: string; readonly name: string; readonly node?: number },
): string | null {
  if (new TextEncoder().encode(text).length < asked) {
    return null;
  }
  const which = `--name ${name}${node === undefined ? '' : ` --node ${node}`}`;
  return `… only the last ${bytes(asked)} of this log; hitch logs ${cluster} ${which} --bytes 1000000 shows more`;
}

/** What a cluster that is over has cost in all its runs, as its row says it too; a cap counts the last one only. */
export function costInAll(usage: Cluster['usage']): string {
  const all = `Cost ${dollars(usage.accruedMicroUsd)}`;
  const limit = `limit ${dollars(usage.capMicroUsd)}`;
  return usage.spentBeforeMicroUsd === '0'
    ? `${all} (${limit})`
    : `${all} in total, ${dollars(costOfRun(usage))} of it in the last run (${limit})`;
}

/** `$7.90 comes back if it ends now`: of what was paid ahead, or as a deposit; null: nothing does. */
export const comesBackWords = ({ comesBackMicroUsd }: Cluster['usage']): string | null =>
  comesBackMicroUsd === undefined ? null : `${dollars(comesBackMicroUsd)} comes back if it ends now`;

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

const FREE = 'nothing was charged';

/** `gone, confirmed 18:12, $1.98 total`; what is not confirmed is never called gone. */
function goneWords(
  cluster: Cluster,
  nowMs: number,
  titleOf: TitleOf,
  withTime: boolean,
  moneyFirst = false,
): string {
  const { accruedMicroUsd } = cluster.usage;
  const total = accruedMicroUsd === '0' ? FREE : `${dollars(accruedMicroUsd)} total`;
  const at = clock(cluster.endedAtMs ?? cluster.phaseSinceMs, nowMs);
  const state =
    cluster.conditions.cleanup.status === 'yes'
      ? `gone${withTime ? `, confirmed ${at}` : ''}`
      : `not confirmed gone by ${network(cluster, titleOf)}, may still bill`;
  return (moneyFirst ? [total, state] : [state, total]).join(', ');
}

/** `Ray 1/2`: nodes that are ready of all. */
function rayWords({ nodes, conditions }: Cluster): string {
  const alive = nodes.filter(({ phase }) => phase === 'ready').length;
  return clause(conditions.engine.message) || `Ray ${alive}/${nodes.length}`;
}

function network(cluster: Cluster, titleOf: TitleOf): string {
  const provider = cluster.nodes.map(node => node.provider).find(id => id !== null);
  return provider === undefined ? 'the network' : titleOf(provider);
}

/** Mean use over all GPUs in percent; null where no driver says it. */
function gpuUse({ nodes }: Cluster): number | null {
  const known = nodes
    .flatMap(({ signals }) => signals?.gpus ?? [])
    .flatMap(({ utilizationPercent }) => (utilizationPercent === null ? [] : [utilizationPercent]));
  return known.length === 0 ? null : Math.round(known.reduce((sum, use) => sum + use, 0) / known.length);
}

/** When it will end: its stop time or its cap, whichever is first. */
export function stopsAtMs({ caps, usage }: Cluster): number | null {
  const known = [caps.stopAtMs, usage.capReachedAtMs].filter(atMs => atMs !== null);
  return known.length === 0 ? null : Math.min(...known);
}

const OVER: readonly ClusterPhase[] = ['stopped', 'expired', 'failed'];

/** Nothing works there any more, and nothing will. Whether it is gone is another question: it may still bill. */
export const isOver = ({ phase }: Pick<Cluster, 'phase'>): boolean => OVER.includes(phase);

/** Its machines are confirmed gone, or were never bought: nothing costs any more. */
export const isGone = (cluster: Pick<Cluster, 'phase' | 'conditions'>): boolean =>
  isOver(cluster) && cluster.conditions.cleanup.status === 'yes';

/** Whether it is worth a place on the status bar: it runs, or it may still cost. */
function counts(cluster: Cluster): boolean {
  return !isOver(cluster) || cluster.conditions.billing.status === 'yes';
}

const WARN_MS = 10 * 60_000;

const gpusOf = ({ title }: Node): number => Number(/^(\d+)×/.exec(title)?.[1] ?? 0);

const counted = (count: number, one: string): string => `${count} ${one}${count === 1 ? '' : 's'}`;

/** One line for the status bar; null hides it. Nothing in it changes faster than the minute. */
export function statusBar(clusters: readonly Cluster[], nowMs: number): string | null {
  const running = clusters.filter(counts);
  const paid = running.filter(({ practice }) => !practice);
  if (running.length === 0) {
    return null;
  }
  if (paid.length === 0) {
    return `Practice, ${counted(running.flatMap(({ nodes }) => nodes).length, 'node')}`;
  }
  const rate = paid.reduce((sum, { usage }) => sum + BigInt(agreedRate(usage)), 0n);
  const perHour = `${dollars(rate.toString())}/h`;
  if (paid.some(isSilent)) {
    return `⚠ unreachable, ${perHour}`;
  }
  const nodes = paid.flatMap(cluster => cluster.nodes);
  const gpus = nodes.reduce((sum, node) => sum + gpusOf(node), 0);
  const machines = gpus > 0 ? counted(gpus, 'GPU') : counted(nodes.length, 'node');
  const stops = paid.map(stopsAtMs).filter(atMs => atMs !== null);
  const first = stops.length === 0 ? null : Math.min(...stops);
  const soon = first !== null && first - nowMs <= WARN_MS ? '⚠ ' : '';
  return `${soon}${machines}, ${perHour}${first === null ? '' : `, stops ${clock(first, nowMs)}`}`;
}

/** The tooltip's lines for one cluster. */
export function clusterTooltip(cluster: Cluster, titleOf: TitleOf = asIs): string[] {
  const { name, nodes, usage, practice } = cluster;
  const titles = [...new Set(nodes.map(({ title }) => shownName(title)).filter(title => title !== ''))];
  const use = gpuUse(cluster);
  const cards = nodes.flatMap(({ signals }) => signals?.gpus ?? []);
  const used = cards.reduce((sum, { vramUsedMiB }) => sum + (vramUsedMiB ?? 0), 0);
  const total = cards.reduce((sum, { vramTotalMiB }) => sum + (vramTotalMiB ?? 0), 0);
  return [
    [
      name,
      ...titles,
      practice ? 'practice' : network(cluster, titleOf),
      PHASE_WORDS[cluster.phase].toLowerCase(),
    ].join(', '),
    [
      `${dollars(costOfRun(usage))} of ${dollars(usage.capMicroUsd)}`,
      ...(use === null ? [] : [`GPU ${use} %`]),
      ...(total === 0 ? [] : [`${Math.round(used / 1024)}/${gigabytes(total)}`]),
    ].join(', '),
  ];
}

/**
 * What to say about a cluster that does not answer. `says` is what its network answers: null when it does not answer
 * either, undefined when nobody has asked it.
 */
export function unreachableMessage(
  cluster: Cluster,
  says: string | null | undefined,
  nowMs: number,
  titleOf: TitleOf = asIs,
): string {
  const title = network(cluster, titleOf);
  const rate = `${dollars(cluster.usage.ratePerHourMicroUsd)}/h`;
  const silent = `${cluster.name} has not answered since ${clock(cluster.phaseSinceMs, nowMs)}`;
  const limits = 'Work there may continue; your stop limits still apply.';
  if (says === undefined) {
    return `${silent}; it may still bill ${rate}. ${limits}`;
  }
  const word = says === null ? `${title} is not answering either.` : `${title} says it is ${says} (${rate}).`;
  return `${silent}. ${word} ${limits}`;
}

export interface StopPlan {
  /** Cells that will be interrupted, such as `cell 12`. */
  readonly interrupts: readonly string[];
  /** `takesMs`: null where it is not known; `orMore`: not all of it was counted. */
  readonly saves: readonly { path: string; sizeBytes: number; takesMs: number | null; orMore?: boolean }[];
  readonly notSaved: readonly { path: string; sizeBytes: number; orMore?: boolean }[];
}

const sizeWords = ({ sizeBytes, orMore }: { sizeBytes: number; orMore?: boolean }): string =>
  orMore !== true ? bytes(sizeBytes) : sizeBytes === 0 ? 'not counted' : `more than ${bytes(sizeBytes)}`;

/** `Not saved: ~/.cache (14 GB).`, or null where nothing is lost. */
export function notSavedWords({ notSaved }: Pick<StopPlan, 'notSaved'>): string | null {
  const items = notSaved.map(item => `${item.path} (${sizeWords(item)})`);
  return items.length === 0 ? null : `Not saved: ${items.join(', ')}.`;
}

/** What becomes of a cluster's machines at its end, to stand in a sentence: `the machine is deleted with everything on it`. */
export function machinesEnd(machines: number, areOwn = false): string {
  if (areOwn) {
    return 'its processes are ended and its folders deleted; the machine itself stays as it was';
  }
  return machines === 1
    ? 'the machine is deleted with everything on it'
    : `${machines === 2 ? 'both' : `all ${machines}`} machines are deleted with everything on them`;
}

/** What to say ten minutes before a cluster ends. */
export function stopsSoonMessage(cluster: Cluster, plan: StopPlan, nowMs: number): string {
  const { usage } = cluster;
  const left = Math.max(0, (stopsAtMs(cluster) ?? nowMs) - nowMs);
  const deleted = machinesEnd(cluster.nodes.length, cluster.ownMachines);
  const steps = [
    ...(plan.interrupts.length === 0
      ? []
      : [`${plan.interrupts.join(', ')} ${plan.interrupts.length === 1 ? 'is' : 'are'} interrupted`]),
    ...(plan.saves.length === 0
      ? []
      : [`${plan.saves.map(saveWords).join(', ')} ${plan.saves.length === 1 ? 'is' : 'are'} saved`]),
  ];
  const lost = notSavedWords(plan);
  return [
    `${cluster.name} stops in ${duration(left)} (${dollars(costOfRun(usage))} of ${dollars(usage.capMicroUsd)} spent):`,
    `${[...steps, ''].join(', ')}${steps.length === 0 ? '' : 'then '}${deleted}.`,
    ...(lost === null ? [] : [lost]),
  ].join(' ');
}

/** `~/work (1.2 GB, 3 min)`. */
const saveWords = (item: StopPlan['saves'][number]): string =>
  `${item.path} (${sizeWords(item)}${item.takesMs === null ? '' : `, ${duration(item.takesMs)}`})`;
