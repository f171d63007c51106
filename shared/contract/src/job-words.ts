/** Jobs in words: the same in all clients. */
import { bytes, elapsed } from './format.ts';
import { isJobOver, type Job, type JobRun, type JobSpec, notebookCopy } from './jobs.ts';
import { shownName } from './shown/text.ts';

type Stands = Pick<Job, 'state' | 'message' | 'runs'>;

/** How long it ran or has run: all of its runs. */
export const jobRanMs = ({ runs }: Pick<Job, 'runs'>, nowMs: number): number =>
  runs.reduce((sum, { startedAtMs, endedAtMs }) => sum + Math.max(0, (endedAtMs ?? nowMs) - startedAtMs), 0);

/** Why a run ended: `exit code 3`; '' while it runs. */
export function causeWords({ cause, exitCode, signal, peakBytes, message }: JobRun): string {
  switch (cause) {
    case null:
      return '';
    case 'finished':
      return 'finished';
    case 'exit':
      return `exit code ${String(exitCode)}${message === '' ? '' : `: ${shownName(message)}`}`;
    case 'signal':
      return `ended by ${shownName(signal ?? 'a signal')}, which was not sent by Hitch`;
    case 'memory':
      return peakBytes === null ? 'out of memory' : `out of memory at ${bytes(peakBytes)}`;
    case 'limit':
      return 'its time limit was reached';
    case 'stopped':
      return 'stopped';
    case 'cluster':
      return 'its cluster ended';
    case 'environment':
      return `it could not be started. ${shownName(message)}`.trim();
    case 'lost':
      return 'its machine was lost';
    case 'unwatched':
      return shownName(message);
  }
}

/** One line: `Running, 2:31` · `Failed after 0:12: exit code 3`. */
export function jobLine(job: Stands, nowMs: number): string {
  const last = job.runs.at(-1);
  const time = elapsed(jobRanMs(job, nowMs));
  const again = job.runs.length > 1 ? `, run ${job.runs.length.toString()}` : '';
  switch (job.state) {
    case 'waiting':
      return job.message === '' ? 'Starting' : shownName(job.message.replace(/\.$/, ''));
    case 'running':
      // Nothing as a rule; else what is wrong with the machine's account of it.
      return `Running, ${time}${again}${job.message === '' ? '' : `: ${shownName(job.message)}`}`;
    case 'stopping':
      return `Stopping, ${time}`;
    case 'succeeded':
      return `Finished in ${time}${again}`;
    case 'stopped':
      return last === undefined ? 'Stopped before it began' : `Stopped after ${time}${whyStopped(last)}`;
    case 'failed':
      return last === undefined
        ? `Failed: ${shownName(job.message)}`
        : `Failed after ${time}${again}: ${causeWords(last)}`;
  }
}

const whyStopped = ({ cause }: JobRun): string => (cause === 'cluster' ? ': its cluster ended' : '');

/** A line of arguments as a shell would part it, with quotes and nothing else of a shell. */
export const splitWords = (line: string): string[] =>
  Array.from(line.matchAll(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g), ([word]) =>
    word.replace(/"([^"]*)"|'([^']*)'/g, (_, double?: string, single?: string) => double ?? single ?? ''),
  );

/** What a file is run with, by its name; null: it is none that can be run. A notebook is run otherwise. */
export const runsWith = (name: string): readonly string[] | null =>
  /\.py$/i.test(name) ? ['python'] : /\.sh$/i.test(name) ? ['bash'] : null;

const commandWords = (words: readonly string[]): string =>
  words.map(word => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(' ');

/** What it runs, in one line. */
export function workWordsOf({ work }: Pick<JobSpec, 'work'>): string {
  switch (work.kind) {
    case 'command':
      return commandWords(work.command);
    case 'nodes': {
      const many = work.nodes === 1 ? '1 node' : `${work.nodes.toString()} nodes`;
      return `${work.torchrun ? 'torchrun ' : ''}${commandWords(work.command)} (on ${many})`;
    }
    case 'script':
      return work.script.trim().split('\n')[0] ?? '';
    case 'notebook':
      return work.cells === null
        ? work.path
        : `${work.path}, ${work.cells.first === work.cells.last ? 'cell' : 'cells'} ${cellWords(work.cells)}`;
  }
}

const cellWords = ({ first, last }: { first: number; last: number }): string =>
  first === last ? (first + 1).toString() : `${(first + 1).toString()} to ${(last + 1).toString()}`;

/** Where its outputs are, in the work folder; a notebook's copy is one of them. */
export const jobOutputs = ({ spec, name }: Pick<Job, 'spec' | 'name'>): string[] => [
  ...spec.outputs,
  ...(spec.work.kind === 'notebook' ? [notebookCopy(spec.work.path, name)] : []),
];

/** What of its log cannot be read any more; null: all of it can. */
export function logLossWords(
  job: Pick<Job, 'state' | 'runs' | 'kept' | 'heardAtMs'>,
  isOnMachine: boolean,
): string | null {
  const run = job.runs.at(-1);
  if (run === undefined) {
    return null;
  }
  const kept = job.kept.find(({ run: number }) => number === run.number)?.bytes ?? 0;
  const lost = isOnMachine ? run.log.droppedBytes : run.log.endByte - kept;
  if (lost <= 0) {
    return null;
  }
  return isOnMachine
    ? `${bytes(lost)} of ${bytes(run.log.endByte)} of its log are gone: it was longer than what is kept.`
    : `${bytes(lost)} of its log are not on this computer.`;
}

/** Before a cluster is stopped: `1 job is running: train`; null: none. */
export function runningJobsWords(jobs: readonly Pick<Job, 'name' | 'state'>[]): string | null {
  const names = jobs.filter(({ state }) => !isJobOver(state)).map(({ name }) => name);
  if (names.length === 0) {
    return null;
  }
  const shown = names.slice(0, 3).join(', ');
  const more = names.length > 3 ? ` and ${(names.length - 3).toString()} more` : '';
  return names.length === 1
    ? `1 job is running: ${shown}`
    : `${names.length.toString()} jobs are running: ${shown}${more}`;
}
