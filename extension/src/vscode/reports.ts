/**
 * Logs and the timeline as read-only documents. A richer timeline takes the command over through
 * {@link ReportsApi.showTimelineWith}.
 */
import * as vscode from 'vscode';
import type { Cluster, ClusterEvent } from '@hitch/contract';
import * as format from '@hitch/contract/src/format.ts';
import { eventWords, tellingEvents, withWords } from '@hitch/contract/src/event-words.ts';
import { logText } from '@hitch/contract/src/log-words.ts';
import { outputText } from '@hitch/contract/src/shown/output.ts';
import { shownLine } from '@hitch/contract/src/shown/text.ts';
import { logCutLine } from '@hitch/contract/src/words.ts';
import { isLive } from '../daemon/state.ts';
import { sentence } from '../sentence.ts';
import { chooseCluster, clusterOf } from './which-cluster.ts';
import type { Host, Module } from './module.ts';
import { withProgress } from './screen.ts';

export interface ReportsApi {
  /** Shows a text as a read-only document. */
  show(name: string, text: string): Promise<void>;
  showTimelineWith(show: (cluster: Cluster) => Promise<void>): void;
}

const SCHEME = 'hitch-report';
const LOG_BYTES = 100_000;
const EVENTS = 500;
const LOGS = ['bootstrap', 'agent', 'jupyter', 'ray'] as const;

/** `2026-11-29 18:10:05` on this computer's clock. */
const stamp = (atMs: number): string =>
  `${format.clock(atMs, 0)}:${new Date(atMs).getSeconds().toString().padStart(2, '0')}`;

/** That these are not all of them. */
const earlierEvents = ([first]: readonly ClusterEvent[]): readonly string[] =>
  first === undefined || first.seq <= 1
    ? []
    : [`${(first.seq - 1).toString()} earlier events are not shown.`];

export const timelineText = (cluster: Cluster, events: readonly ClusterEvent[]): string =>
  [
    `${cluster.name}, ${format.dollars(format.costOfRun(cluster.usage))} of ${format.dollars(cluster.usage.capMicroUsd)}`,
    '',
    ...earlierEvents(events),
    ...tellingEvents(events).map(event =>
      shownLine(`${stamp(event.atMs)}  ${withWords(eventWords(event), event.message)}`),
    ),
    '',
  ].join('\n');

export function createReports(host: Host): Module<ReportsApi> {
  const { commands, connection } = host;
  const { model } = connection;
  const texts = new Map<string, string>();
  const changed = new vscode.EventEmitter<vscode.Uri>();
  let timeline: ((cluster: Cluster) => Promise<void>) | null = null;

  const open = async (name: string, text: string): Promise<void> => {
    const uri = vscode.Uri.from({ scheme: SCHEME, path: `/${name}` });
    texts.set(uri.toString(), text);
    changed.fire(uri);
    await vscode.window.showTextDocument(uri, { preview: true });
  };

  const logs = async (argument: unknown): Promise<void> => {
    const cluster = clusterOf(argument, model.state) ?? (await chooseCluster(model, 'Logs', isLive));
    if (cluster === null) {
      return;
    }
    const parts = await Promise.all(
      LOGS.map(async name => {
        const text = await model.client.api.clusters
          .logs({ clusterId: cluster.id, name, bytes: LOG_BYTES })
          .then(({ text: end }) => {
            const cut = logCutLine(end, LOG_BYTES, { cluster: cluster.name, name });
            return `${cut === null ? '' : `${cut}\n`}${outputText(logText(end), false).trimEnd() || '(empty)'}`;
          })
          .catch((error: unknown) => `(${sentence(error)})`);
        return `──── ${name} ────\n${text}\n`;
      }),
    );
    await open(`${cluster.name} logs.log`, parts.join('\n'));
  };

  return {
    api: {
      show: open,
      showTimelineWith: show => {
        timeline = show;
      },
    },
    disposables: [
      changed,
      vscode.workspace.registerTextDocumentContentProvider(SCHEME, {
        onDidChange: changed.event,
        provideTextDocumentContent: uri => texts.get(uri.toString()) ?? '',
      }),
      vscode.workspace.onDidCloseTextDocument(({ uri }) => texts.delete(uri.toString())),
      commands.register('hitch.cluster.logs', logs),
      commands.register('hitch.cluster.timeline', async argument => {
        const cluster =
          clusterOf(argument, model.state) ?? (await chooseCluster(model, 'Timeline', () => true));
        if (cluster === null) {
          return;
        }
        if (timeline !== null) {
          await timeline(cluster);
          return;
        }
        const events = await model.client.api.clusters.events({
          clusterId: cluster.id,
          afterSeq: Math.max(0, cluster.lastEventSeq - EVENTS),
          limit: EVENTS,
        });
        await open(`${cluster.name} timeline.log`, timelineText(cluster, events));
      }),
      commands.register('hitch.doctor.run', async () => {
        await model.need();
        const checks = await withProgress('status bar', 'Hitch: checking this computer', () =>
          model.client.api.daemon.doctor(),
        );
        const signs = { ok: '✓', warning: '⚠', problem: '✗' } as const;
        const lines = checks.flatMap(({ name, status, message, next }) => [
          shownLine(`${signs[status]} ${name}: ${message}`),
          ...(next === null ? [] : [shownLine(`    ${next}`)]),
        ]);
        await open('This computer.log', `${lines.join('\n')}\n`);
      }),
    ],
  };
}
