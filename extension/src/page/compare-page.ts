/** The page's half of the talk about two jobs: it shows what it is told. */
import type { ToPage } from './messages.ts';

export interface ComparePage {
  readonly root: HTMLElement;
  show(message: Extract<ToPage, { kind: 'compare' }>): void;
}

export function comparePage(): ComparePage {
  const root = document.createElement('div');
  root.className = 'compare';
  const problem = document.createElement('p');
  problem.setAttribute('role', 'status');
  const view = document.createElement('hitch-job-compare');
  root.append(problem, view);
  return {
    root,
    show: ({ jobs, problem: sentence }) => {
      problem.hidden = sentence === null;
      view.hidden = sentence !== null;
      // A sentence of ours, or a daemon's error, which names things plainly.
      problem.replaceChildren(document.createTextNode(sentence ?? ''));
      view.jobs = jobs;
    },
  };
}
