/** One JSON file that says what somebody who helps needs to know, and nothing that is nobody's business. */
import type { Cluster, HitchApi } from '@hitch/contract';
import { shownJson } from '@hitch/contract/src/shown/text.ts';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import type { State } from '../daemon/state.ts';
import { sentence } from '../sentence.ts';
import { redact } from './redact.ts';

export interface BundleSource {
  /** @throws HitchError while no daemon is known. */
  readonly api: () => HitchApi;
  readonly state: State;
  readonly logFolder: string;
  readonly editor: Readonly<Record<string, unknown>>;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly ownLog: string;
  readonly nowMs: number;
}

const LOG_END_BYTES = 200_000;
const EVENTS = 200;

/** The end of a file, or why it cannot be read. */
export function endOf(file: string, bytes: number): string {
  try {
    const handle = openSync(file, 'r');
    try {
      const { size } = fstatSync(handle);
      const length = Math.min(size, bytes);
      const buffer = Buffer.alloc(length);
      readSync(handle, buffer, 0, length, size - length);
      return buffer.toString('utf8');
    } finally {
      closeSync(handle);
    }
  } catch (error) {
    return `(not read: ${sentence(error)})`;
  }
}

async function attempt<T>(run: () => Promise<T>): Promise<T | string> {
  try {
    return await run();
  } catch (error) {
    return `(${sentence(error)})`;
  }
}

/** What a cluster is like, without what its owner called files. */
const summary = (cluster: Cluster) => ({
  id: cluster.id,
  phase: cluster.phase,
  message: cluster.message,
  practice: cluster.practice,
  engine: cluster.engine,
  template: cluster.template,
  conditions: cluster.conditions,
  caps: cluster.caps,
  usage: { ...cluster.usage, parts: cluster.usage.parts.length },
  nodes: cluster.nodes.map(({ id, index, phase, message, title, provider, attempts }) => ({
    id,
    index,
    phase,
    message,
    title,
    provider,
    attempts: attempts.map(({ ref: _ref, ...rest }) => rest),
  })),
});

/** The file's text. Parts that cannot be had say why; the whole never fails. */
export async function supportBundle(source: BundleSource): Promise<string> {
  const { api, state } = source;
  const clusters = state.clusters ?? [];
  const [info, doctor, events] = await Promise.all([
    attempt(() => api().daemon.info()),
    attempt(() => api().daemon.doctor()),
    Promise.all(
      clusters.map(async ({ id, lastEventSeq }) => ({
        clusterId: id,
        events: await attempt(() =>
          api().clusters.events({
            clusterId: id,
            afterSeq: Math.max(0, lastEventSeq - EVENTS),
            limit: EVENTS,
          }),
        ),
      })),
    ),
  ]);
  const content = {
    // Of each cluster and each log no more than its end is here.
    endOnly: { eventsOfEachCluster: EVENTS, bytesOfEachLog: LOG_END_BYTES },
    made: new Date(source.nowMs).toISOString(),
    editor: source.editor,
    settings: source.settings,
    connection: { state: state.connection, problem: state.problem },
    daemon: info,
    doctor,
    providers: state.providers,
    clusters: clusters.map(summary),
    events,
    logs: {
      extension: lines(source.ownLog),
      daemon: lines(endOf(join(source.logFolder, 'daemon.log'), LOG_END_BYTES)),
      start: lines(endOf(join(source.logFolder, 'daemon.out'), LOG_END_BYTES)),
    },
  };
  return `${redactDeep(content)}\n`;
}

/** Redacted before it is cut: a key stands on many lines. */
const lines = (log: string): string[] => redact(log).split('\n');

/** Redacted string by string: a rule that spans quotes must not break the JSON around them. */
const redactDeep = (content: unknown): string =>
  shownJson(content, 2, (key, value) => {
    if (/token|secret|password|authorization|challengeKey/i.test(key) && typeof value === 'string') {
      return '[redacted]';
    }
    return typeof value === 'string' ? redact(value) : value;
  });
