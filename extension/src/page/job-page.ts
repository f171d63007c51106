/** The page's half of the talk about a job: what it is told, and what it asks of the log. */
import type { JobFinds, JobLogBytesQuery, JobLogPart } from '@hitch/contract';
import type { JobMetrics } from '@hitch/contract/src/metrics/wire.ts';
import type { FromPage, ToPage } from './messages.ts';

export interface JobPage {
  readonly root: HTMLElement;
  /** @returns false for what is of another page. */
  take(message: ToPage): boolean;
}

interface Waiting {
  readonly log?: (page: JobLogPart) => void;
  readonly finds?: (finds: JobFinds) => void;
  readonly metrics?: (metrics: JobMetrics) => void;
  readonly fail: (error: Error) => void;
}

export function jobPage(say: (message: FromPage) => void): JobPage {
  const root = document.createElement('div');
  root.className = 'job';
  const problem = document.createElement('p');
  problem.setAttribute('role', 'status');
  const view = document.createElement('hitch-job');
  const waiting = new Map<number, Waiting>();
  // Other numbers than those of the offer table's questions: both may wait in one page.
  let questions = 1_000_000;

  view.log = (query: JobLogBytesQuery, signal) => {
    const question = ++questions;
    signal.addEventListener('abort', () => {
      if (waiting.delete(question)) {
        say({ kind: 'abort', question });
      }
    });
    return new Promise((log, fail) => {
      waiting.set(question, { log, fail });
      const { run, from = 0, waitMs = 0 } = query;
      say({
        kind: 'job-log',
        question,
        query: { from, waitMs, ...(run === undefined ? {} : { run }) },
      });
    });
  };
  view.search = (text, run, from) => {
    const question = ++questions;
    return new Promise((finds, fail) => {
      waiting.set(question, { finds, fail });
      say({ kind: 'job-search', question, text, run, from });
    });
  };
  view.metrics = ({ most = 1, points = 0 }) => {
    const question = ++questions;
    return new Promise((metrics, fail) => {
      waiting.set(question, { metrics, fail });
      say({ kind: 'job-metrics', question, most, points });
    });
  };
  view.addEventListener('hitch-job', ({ detail: { action } }) => say({ kind: 'job-action', action }));
  root.append(problem, view);

  const show = ({ job, around, problem: sentence }: Extract<ToPage, { kind: 'job' }>): void => {
    problem.hidden = sentence === null;
    // A sentence of ours, or a daemon's error, which names things plainly.
    problem.replaceChildren(document.createTextNode(sentence ?? ''));
    if (job !== null) {
      view.job = job;
      view.around = around;
    }
  };
  const answered = (question: number, give: (waiting: Waiting) => void): boolean => {
    const found = waiting.get(question);
    waiting.delete(question);
    if (found !== undefined) {
      give(found);
    }
    return found !== undefined;
  };
  return {
    root,
    take: message => {
      switch (message.kind) {
        case 'job':
          show(message);
          return true;
        case 'job-log':
          return answered(message.question, ({ log }) => log?.(message.page));
        case 'job-finds':
          return answered(message.question, ({ finds }) => finds?.(message.finds));
        case 'job-metrics':
          return answered(message.question, ({ metrics }) => metrics?.(message.metrics));
        case 'problem':
          return answered(message.question, ({ fail }) => fail(new Error(message.sentence)));
        default:
          return false;
      }
    },
  };
}
