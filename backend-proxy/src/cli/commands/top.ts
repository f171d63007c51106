/** `hitch top`: how a cluster's machines do, and what kernels and jobs have of them; drawn again as long as one looks on. */
import { type Cluster, HitchError, type Node, shownName } from '@hitch/contract';
import { lastValue, NO_USE, withPage } from '@hitch/contract/src/use/gather.ts';
import { course } from '@hitch/contract/src/metrics/words.ts';
import { FINE_EVERY_MS, type UsePage } from '@hitch/contract/src/use/wire.ts';
import {
  nowWords,
  type OwnerUse,
  ownersNow,
  runningNodes,
  useOfText,
  useText,
} from '@hitch/contract/src/use/words.ts';
import { errorText } from '@hitch/platform/src/log.ts';
import * as z from 'zod';
import { findCluster } from '../clusters.ts';
import { defineCommand } from '../command.ts';
import type { Context } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { InterruptedError, interruptible } from '../interrupts.ts';
import { lineWriter } from '../line-writer.ts';
import { Redraw } from '../screen/redraw.ts';
import { type Column, tableLines } from '../screen/table.ts';
import { clusterRef } from '../values.ts';

/** Behind now, of each line. */
const SHOWN_MS = 120_000;
const CURVE = 24;

type Api = Awaited<ReturnType<Context['session']>>['api'];

interface NodeLook {
  readonly index: number;
  readonly title: string;
  /** What was measured lately; null with why. */
  readonly use: UsePage | null;
  readonly problem: string;
}

const owners: readonly Column<OwnerUse>[] = [
  { title: 'Program', priority: 1, cell: ({ owner }) => shownName(owner) },
  { title: 'CPU', priority: 1, align: 'right', cell: ({ cpu }) => useText('cpu', cpu) },
  { title: 'Memory', priority: 1, align: 'right', cell: ({ memory }) => useText('memory', memory) },
  {
    title: 'GPU memory',
    priority: 1,
    align: 'right',
    cell: ({ vram }) => (vram === null ? '' : useText('vram', vram)),
  },
];

/** `GPU 0  97 %  ▃▅▇  22.0 GB of 24.0 GB  71 °C  412 W`, a line for each thing that is measured of the machine. */
function useLines(page: UsePage): string[] {
  const seriesOf = (of: string, id: string, kind: string) =>
    page.series.find(each => each.of === of && each.id === id && each.kind === kind);
  const said = (of: string, id: string, kind: string): string => {
    const series = seriesOf(of, id, kind);
    return series === undefined ? '?' : useOfText(series, lastValue(series));
  };
  const curve = (of: string, id: string, kind: string): string => {
    const values = seriesOf(of, id, kind)?.values.flatMap(value => value ?? []) ?? [];
    return values.length < 2 ? '' : course(values, CURVE);
  };
  const line = (...parts: readonly string[]): string => `  ${parts.filter(part => part !== '').join('  ')}`;
  const gpus = page.series.filter(({ of, kind }) => of === 'gpu' && kind === 'busy');
  return [
    line(`CPU ${said('machine', '', 'cpu')}`, curve('machine', '', 'cpu')),
    line(`memory ${said('machine', '', 'memory')}`, `disk ${said('machine', '', 'disk')}`),
    line(`network ${said('machine', '', 'received')} received`, `${said('machine', '', 'sent')} sent`),
    ...gpus.map(({ id, name }) =>
      line(
        `GPU ${id} ${shownName(name)} ${said('gpu', id, 'busy')}`,
        curve('gpu', id, 'busy'),
        said('gpu', id, 'vram'),
        said('gpu', id, 'temperature'),
        said('gpu', id, 'power'),
      ),
    ),
  ];
}

function nodeLines({ index, title, use, problem }: NodeLook, width: number | null): string[] {
  const head = `${index.toString()} ${index === 0 ? 'head' : 'worker'}  ${shownName(title)}`;
  if (use === null) {
    return [head, `  ${problem}`];
  }
  const programs = ownersNow(use);
  return [
    head,
    ...useLines(use),
    ...(programs.length === 0
      ? []
      : tableLines(programs, owners, width === null ? null : width - 3).map(line => `  ${line}`)),
  ];
}

/** Asks every node for what came since; what was known stays where one does not answer. */
class Looks {
  readonly #api: Api;
  readonly #held = new Map<number, UsePage>();

  constructor(api: Api) {
    this.#api = api;
  }

  async at(cluster: Cluster): Promise<readonly NodeLook[]> {
    return Promise.all(runningNodes(cluster).map(node => this.#look(cluster, node)));
  }

  async #look(cluster: Cluster, { index, title }: Node): Promise<NodeLook> {
    try {
      let held = this.#held.get(index) ?? NO_USE;
      do {
        const page = await this.#api.nodes.use({
          ...{ clusterId: cluster.id, nodeIndex: index, scale: 'fine' },
          ...{ afterMs: held.timesMs.at(-1) ?? 0, withinMs: SHOWN_MS },
        });
        held = withPage(held, page, (page.timesMs.at(-1) ?? 0) - SHOWN_MS);
      } while (held.more);
      this.#held.set(index, held);
      return held.timesMs.length === 0
        ? { index, title, use: null, problem: 'Nothing is measured yet.' }
        : { index, title, use: held, problem: '' };
    } catch (error) {
      const problem = error instanceof HitchError ? error.message : errorText(error);
      return { index, title, use: null, problem };
    }
  }
}

/** For programs: the latest value of everything, as it is named on the wire. */
const asJson = (cluster: Cluster, looks: readonly NodeLook[]): object => ({
  cluster: cluster.name,
  nodes: looks.map(({ index, title, use, problem }) => ({
    index,
    title,
    atMs: use?.timesMs.at(-1) ?? null,
    problem: problem === '' ? null : problem,
    says: use === null ? null : nowWords(use),
    figures: (use?.series ?? []).map(({ values, ...name }) => ({ ...name, value: values.at(-1) ?? null })),
  })),
});

export const addTop = defineCommand({
  usage: 'top <cluster>',
  summary: 'how the machines of a cluster do: CPU, memory, GPUs, and what kernels and jobs have of them',
  examples: [
    ['hitch top llm-dev', 'drawn again every two seconds, until Ctrl-C'],
    ['hitch top llm-dev --once', 'as it is now'],
    ['hitch top llm-dev --json', 'the same, for a program'],
  ],
  options: command => command.option('--once', 'look once; also where the output is no terminal'),
  schema: z.object({
    cluster: clusterRef,
    once: z.boolean().default(false),
    json: z.boolean().default(false),
  }),
  run: async (context, input) => {
    const { io, clock } = context;
    const { api } = await context.session();
    const cluster = await findCluster(api, input.cluster);
    if (runningNodes(cluster).length === 0) {
      throw new HitchError('CONFLICT', `No machine of ${cluster.name} is up.`, {
        next: `hitch show ${cluster.name} says how far it is.`,
      });
    }
    const looks = new Looks(api);
    if (input.json) {
      io.json(asJson(cluster, await looks.at(cluster)));
      return EXIT.ok;
    }
    const lineOf = await lineWriter(api);
    const picture = async (shown: Cluster): Promise<string[]> => {
      const all = await looks.at(shown);
      const nodes = all.flatMap(look => nodeLines(look, io.width));
      return [`${shown.name}  ${lineOf(shown, clock.now())}`, ...nodes];
    };
    if (input.once || io.width === null) {
      (await picture(cluster)).forEach(line => io.line(line));
      return EXIT.ok;
    }
    const screen = new Redraw(io);
    try {
      await interruptible(context.interrupts, async signal => {
        for (;;) {
          screen.show(await picture(await findCluster(api, cluster.id)));
          await clock.sleep(FINE_EVERY_MS, signal);
        }
      });
    } catch (error) {
      // Looking on ends with Ctrl-C, and that is no failure.
      if (!(error instanceof InterruptedError)) {
        throw error;
      }
    }
    return EXIT.ok;
  },
});
