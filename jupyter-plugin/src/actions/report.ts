/** How an action went, said once: a notification with one next step. */
import { adviceInEditor, HitchError } from '@hitch/contract';
import { COMMANDS } from './ids.ts';
import type { Deps } from './deps.ts';
import { type Action, notify } from '../ui/notify.ts';

const SHORT_MS = 6_000;

/** What is wrong and what to do, in one or two sentences. */
export function sentenceOf(error: unknown): string {
  if (error instanceof HitchError) {
    return error.next === undefined ? error.message : `${error.message} ${adviceInEditor(error.next)}`;
  }
  return error instanceof Error ? error.message : String(error);
}

export interface NextStep {
  readonly label: string;
  readonly run: () => void;
  /** The notification stays when it is taken. */
  readonly keeps?: boolean;
}

/** JupyterLab takes a notification away when one of its buttons is pressed, unless that is prevented. */
export const actionsOf = (steps: readonly NextStep[]): Action[] =>
  steps.map(({ label, run, keeps = false }) => ({
    label,
    callback: event => {
      if (keeps) {
        event.preventDefault();
      }
      run();
    },
  }));

export function showPanelStep({ commands, trans }: Deps): NextStep {
  return { label: trans.__('Show'), run: () => void commands.execute(COMMANDS.openPanel) };
}

export function said(message: string, ...steps: readonly NextStep[]): string {
  return notify('success', message, { autoClose: SHORT_MS, actions: actionsOf(steps) });
}

export function warned(message: string, ...steps: readonly NextStep[]): string {
  return notify('warning', message, { autoClose: false, actions: actionsOf(steps) });
}

export function failed(message: string, ...steps: readonly NextStep[]): string {
  return notify('error', message, { autoClose: false, actions: actionsOf(steps) });
}

/** Runs it; a failure is told with a way to try again, and answers null. */
export async function attempt<T>(deps: Deps, act: () => Promise<T>, again: () => void): Promise<T | null> {
  try {
    return await act();
  } catch (error) {
    failed(sentenceOf(error), { label: deps.trans.__('Try again'), run: again });
    return null;
  }
}
