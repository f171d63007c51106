/** One JSON file that says what somebody who helps needs to know, and nothing that is nobody's business. */
import type { Cluster, DoctorCheck, HitchApi } from '@hitch/contract';
import { type Person, redact } from '@hitch/contract/src/redact.ts';
import { shownJson } from '@hitch/contract/src/shown/text.ts';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { homedir, hostname, userInfo } from 'node:os';

export interface ReportSource {
  /** @throws HitchError while no daemon is known. */
  readonly api: () => HitchApi;
  /** As last heard; null: never. */
  readonly clusters: readonly Cluster[] | null;
  /** What is asked where the daemon may be what fails; left out: the daemon is. */
  readonly doctor?: () => Promise<readonly DoctorCheck[]>;
  /** Which program reports, of which version, and what it knows besides, by what it is called. */
  readonly client: Readonly<Record<string, unknown>>;
  /** Ends of logs, by what they are called. */
  readonly logs: Readonly<Record<string, string>>;
  readonly nowMs: number;
  /** Left out: who runs this program. */
  readonly person?: Person;
  /** An error in a sentence. */
  readonly sentence: (error: unknown) => string;
}

export const LOG_END_BYTES = 200_000;
const EVENTS = 200;

/** The end of a file, or why it cannot be read. */
export function endOf(file: string, bytes: number = LOG_END_BYTES): string {
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
    return `(not read: ${error instanceof Error ? error.message : String(error)})`;
  }
}

function thisPerson(): Person {
  const host = hostname();
  try {
    return { home: homedir(), name: userInfo().username, host };
  } catch {
    // An id without an account, as in some containers.
    return { home: homedir(), name: '', host };
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

export interface ProblemReport {
  /** The whole file. */
  readonly text: string;
  /** What is in it, a line each, to be shown before it is written. */
  readonly contents: readonly string[];
}

/** Parts that cannot be had say why; the whole never fails. It is sent nowhere. */
export async function problemReport(source: ReportSource): Promise<ProblemReport> {
  const { api, sentence } = source;
  const clusters = source.clusters ?? [];
  const person = source.person ?? thisPerson();
  const own = { ...person, names: clusters.map(({ name }) => name) };
  const attempt = async <T>(run: () => Promise<T>): Promise<T | string> => {
    try {
      return await run();
    } catch (error) {
      return `(${sentence(error)})`;
    }
  };
  const [daemon, doctor, providers, events] = await Promise.all([
    attempt(() => api().daemon.info()),
    attempt(source.doctor ?? (() => api().daemon.doctor())),
    attempt(() => api().providers.list()),
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
  // Redacted before they are cut into lines: a key stands on many.
  const logs = Object.fromEntries(
    Object.entries(source.logs).map(([name, log]) => [name, redact(log, own).split('\n')]),
  );
  const content = {
    // Of each cluster and each log no more than its end is here.
    endOnly: { eventsOfEachCluster: EVENTS, bytesOfEachLog: LOG_END_BYTES },
    made: new Date(source.nowMs).toISOString(),
    client: source.client,
    daemon,
    doctor,
    providers,
    clusters: clusters.map(summary),
    events,
    logs,
  };
  const text = `${redactDeep(content, own)}\n`;
  const count = (many: number, one: string): string => `${many.toString()} ${one}${many === 1 ? '' : 's'}`;
  return {
    text,
    contents: [
      'versions of Hitch, of its daemon and of this system',
      typeof doctor === 'string'
        ? `why no checks could be made: ${redact(doctor, own)}`
        : count(doctor.length, 'check'),
      typeof providers === 'string' ? 'no networks' : `${count(providers.length, 'network')}, without logins`,
      `${count(clusters.length, 'cluster')} with their latest events, without names`,
      ...Object.entries(logs).map(
        ([name, lines]) => `the end of the log ${name}, ${count(lines.length, 'line')}`,
      ),
    ],
  };
}

/** Redacted string by string: a rule that spans quotes must not break the JSON around them. */
const redactDeep = (content: unknown, person: Person): string =>
  shownJson(content, 2, (key, value) => {
    if (/token|secret|password|authorization|challengeKey/i.test(key) && typeof value === 'string') {
      return '[redacted]';
    }
    return typeof value === 'string' ? redact(value, person) : value;
  });
