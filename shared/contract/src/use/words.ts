/** A machine's use in words, the same in every client. */
import type { Cluster, Node } from '../clusters.ts';
import * as format from '../format.ts';
import { lastValue } from './gather.ts';
import type { UseKind, UseName, UsePage, UseSeries } from './wire.ts';

const KIND_WORDS: Readonly<Record<UseKind, string>> = {
  cpu: 'CPU',
  memory: 'memory',
  disk: 'disk',
  received: 'received',
  sent: 'sent',
  busy: 'GPU',
  vram: 'GPU memory',
  temperature: 'temperature',
  power: 'power',
};

/** `4.2 GB` of MiB, in the units that machines are sold in; below one of them, `340 MB`. */
const mebibytes = (value: number): string =>
  value < 1_000 ? `${Math.round(value).toString()} MB` : `${(value / 1024).toFixed(1)} GB`;

/** `34 %`, `4.2 GB`, `1.2 MB/s`, `71 °C`, `412 W`; `?` where it is not known. */
export function useText(kind: UseKind, value: number | null): string {
  if (value === null) {
    return '?';
  }
  switch (kind) {
    case 'cpu':
    case 'busy':
      return `${Math.round(value).toString()} %`;
    case 'memory':
    case 'disk':
    case 'vram':
      return mebibytes(value);
    case 'received':
    case 'sent':
      return `${format.bytes(Math.round(value))}/s`;
    case 'temperature':
      return `${Math.round(value).toString()} °C`;
    case 'power':
      return `${Math.round(value).toString()} W`;
  }
}

/** `4.2 of 24.0 GB`; without all that there is, the value alone. Percentages are of it already. */
export function useOfText({ kind, most }: Pick<UseName, 'kind' | 'most'>, value: number | null): string {
  return most === null || kind === 'cpu' || kind === 'busy' || value === null
    ? useText(kind, value)
    : `${useText(kind, value)} of ${useText(kind, most)}`;
}

/** Whose a series is: `Machine`, `GPU 0`, `kernel train.ipynb`, `job train`, `Ray`, `others`. */
export function ownerWords({ of, id, name }: Pick<UseName, 'of' | 'id' | 'name'>): string {
  switch (of) {
    case 'machine':
      return 'Machine';
    case 'gpu':
      return `GPU ${id}`;
    case 'kernel':
    case 'job':
      return `${of} ${name}`;
    case 'ray':
    case 'other':
      return name;
  }
}

/** `GPU 0 temperature`, `CPU`, `kernel train.ipynb memory`. */
export function seriesWords(series: Pick<UseName, 'of' | 'id' | 'name' | 'kind'>): string {
  const kind = KIND_WORDS[series.kind];
  switch (series.of) {
    case 'machine':
      return kind;
    case 'gpu':
      return series.kind === 'busy'
        ? ownerWords(series)
        : `${ownerWords(series)} ${kind.replace(/^GPU /, '')}`;
    case 'kernel':
    case 'job':
    case 'ray':
    case 'other':
      return `${ownerWords(series)} ${kind}`;
  }
}

const find = (page: UsePage, of: UseName['of'], kind: UseKind): readonly UseSeries[] =>
  page.series.filter(each => each.of === of && each.kind === kind);

/** `CPU 34 %, memory 4.2 GB of 64.0 GB; GPU 0 97 %, 21.0 GB of 24.0 GB, 71 °C, 412 W`: how the machine does now. */
export function nowWords(page: UsePage): string {
  const said = (series: UseSeries | undefined): string[] => {
    const value = series === undefined ? null : lastValue(series);
    return series === undefined || value === null ? [] : [useOfText(series, value)];
  };
  const [cpu, memory] = [find(page, 'machine', 'cpu')[0], find(page, 'machine', 'memory')[0]];
  const machine = [
    ...said(cpu).map(text => `CPU ${text}`),
    ...said(memory).map(text => `memory ${text}`),
  ].join(', ');
  const gpus = find(page, 'gpu', 'busy').map(busy => {
    const own = (kind: UseKind): string[] => said(find(page, 'gpu', kind).find(({ id }) => id === busy.id));
    const parts = [...said(busy), ...own('vram'), ...own('temperature'), ...own('power')];
    return `${ownerWords(busy)} ${parts.join(', ')}`;
  });
  return [machine, ...gpus].filter(part => part !== '').join('; ');
}

/** Those whose agents can be asked. */
export const runningNodes = ({ nodes }: Pick<Cluster, 'nodes'>): readonly Node[] =>
  nodes.filter(({ phase }) => phase === 'ready' || phase === 'starting');

/** What one owner has now, of those that people started, the largest first. */
export interface OwnerUse {
  readonly owner: string;
  readonly cpu: number | null;
  readonly memory: number | null;
  readonly vram: number | null;
}

export function ownersNow(page: UsePage): readonly OwnerUse[] {
  const owners = new Map<string, Record<'cpu' | 'memory' | 'vram', number | null>>();
  for (const series of page.series) {
    const { of, kind } = series;
    if (of !== 'machine' && of !== 'gpu' && (kind === 'cpu' || kind === 'memory' || kind === 'vram')) {
      const owner = ownerWords(series);
      const known = owners.get(owner) ?? { cpu: null, memory: null, vram: null };
      // The latest sample alone: one that is over has nothing any more.
      known[kind] = series.values.at(-1) ?? null;
      owners.set(owner, known);
    }
  }
  return [...owners]
    .map(([owner, use]) => ({ owner, ...use }))
    .filter(({ memory }) => memory !== null)
    .sort((a, b) => (b.vram ?? 0) - (a.vram ?? 0) || (b.memory ?? 0) - (a.memory ?? 0));
}

/** A share of all that there is, 0 … 1; null where nothing bounds it or nothing was measured. */
export const shareOf = ({ most }: Pick<UseName, 'most'>, value: number | null): number | null =>
  most === null || most === 0 || value === null ? null : Math.min(1, value / most);
