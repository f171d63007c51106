/** How an action went, said once: a notification with one next step. */
import { HitchError } from '@hitch/contract';
import { Notification } from '@jupyterlab/apputils';
import { COMMANDS } from './ids.ts';
import type { Deps } from './deps.ts';

const SHORT_MS = 6_000;
/** JupyterLab cuts a notification's message here. */
const LONGEST = 140;

/** As many whole sentences as a notification shows. */
export function fitting(message: string): string {
  if (message.length <= LONGEST) {
    return message;
  }
  const sentences = message.split(/(?<=[.!?])\s+/);
  let text = '';
  for (const sentence of sentences) {
    const longer = text === '' ? sentence : `${text} ${sentence}`;
    if (longer.length > LONGEST) {
      break;
    }
    text = longer;
  }
  return text === '' ? `${message.slice(0, LONGEST - 1)}…` : text;
}

/** What is wrong and what to do, in one or two sentences. */
export function sentenceOf(error: unknown): string {
  if (error instanceof HitchError) {
    return error.next === undefined ? error.message : `${error.message} ${error.next}`;
  }
  return error instanceof Error ? error.message : String(error);
}

export interface NextStep {
  readonly label: string;
  readonly run: () => void;
}

const actionsOf = (steps: readonly NextStep[]) =>
  steps.map(({ label, run }) => ({ label, callback: () => run() }));

export function showPanelStep({ commands, trans }: Deps): NextStep {
  return { label: trans.__('Show'), run: () => void commands.execute(COMMANDS.openPanel) };
}

export function said(message: string, ...steps: readonly NextStep[]): string {
  return Notification.success(fitting(message), { autoClose: SHORT_MS, actions: actionsOf(steps) });
}

export function warned(message: string, ...steps: readonly NextStep[]): string {
  return Notification.warning(fitting(message), { autoClose: false, actions: actionsOf(steps) });
}

export function failed(message: string, ...steps: readonly NextStep[]): string {
  return Notification.error(fitting(message), { autoClose: false, actions: actionsOf(steps) });
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
