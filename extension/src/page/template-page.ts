/** The page's half of the talk about templates: the view that both editors show, and the daemon's word through the extension. */
import type { TemplateDetails } from '@hitch/contract';
import type { FromPage, Place, TemplateChoice, ToPage } from './messages.ts';

export interface TemplatePage {
  readonly root: HTMLElement;
  /** @returns false for what is of another page. */
  take(message: ToPage): boolean;
}

interface Waiting {
  readonly give: (details: TemplateDetails) => void;
  readonly fail: (error: Error) => void;
}

export function templatePage(say: (message: FromPage) => void, keep: (place: Place) => void): TemplatePage {
  const root = document.createElement('div');
  root.className = 'templates';
  const problem = document.createElement('p');
  problem.setAttribute('role', 'alert');
  problem.hidden = true;
  const view = document.createElement('hitch-templates');
  view.canAddFolder = true;
  root.append(view, problem);
  const waiting = new Map<number, Waiting>();
  // Other numbers than those of the other pages' questions.
  let questions = 2_000_000;
  let renting = 0;
  let running = 0;

  const sent = ({ template, preset, values, limits }: TemplateChoice): TemplateChoice => ({
    template,
    preset,
    values: { ...values },
    ...(limits === undefined ? {} : { limits: { ...limits } }),
  });
  view.show = (choice, signal) => {
    const question = ++questions;
    signal.addEventListener('abort', () => {
      if (waiting.delete(question)) {
        say({ kind: 'abort', question });
      }
    });
    return new Promise((give, fail) => {
      waiting.set(question, { give, fail });
      say({ kind: 'template-show', question, choice: sent({ ...choice, values: { ...choice.values } }) });
    });
  };
  view.addEventListener('hitch-template-choice', ({ detail }) =>
    keep({ view: 'templates', choice: sent({ ...detail, values: { ...detail.values } }) }),
  );
  view.addEventListener('hitch-template-rent', ({ detail: { choice } }) => {
    problem.hidden = true;
    renting = ++questions;
    say({
      kind: 'template-rent',
      question: renting,
      choice: sent({ ...choice, values: { ...choice.values } }),
    });
  });
  view.addEventListener('hitch-template-run', ({ detail: { choice, limits } }) => {
    running = ++questions;
    view.busy = true;
    view.refused = null;
    say({
      kind: 'template-run',
      question: running,
      choice: sent({ ...choice, values: { ...choice.values } }),
      limits: { ...limits },
    });
  });
  view.addEventListener('hitch-template-leave', () => say({ kind: 'abort', question: running }));
  view.addEventListener('hitch-template-folder', () => say({ kind: 'template-folder' }));

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
        case 'templates':
          view.templates = message.templates;
          view.offline = message.offline;
          view.own = message.own;
          if (message.choice?.template !== view.choice?.template) {
            view.choice = message.choice;
            keep({ view: 'templates', choice: message.choice });
          }
          return true;
        case 'template-ran':
          if (message.question === running) {
            view.busy = false;
            view.refused = message.problem;
          }
          return true;
        case 'template':
          return answered(message.question, ({ give }) => give(message.details));
        case 'problem':
          if (message.question === renting) {
            problem.hidden = false;
            // A sentence of ours, or a daemon's error, which names things plainly.
            problem.replaceChildren(document.createTextNode(message.sentence));
            return true;
          }
          return answered(message.question, ({ fail }) => fail(new Error(message.sentence)));
        default:
          return false;
      }
    },
  };
}
