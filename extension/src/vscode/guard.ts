/** Starts features so that one that cannot start leaves the others alone: it is logged, and one sentence says so. */
import type * as vscode from 'vscode';
import { sentence } from '../sentence.ts';
import { fail } from './messages.ts';
import type { Module } from './module.ts';
import type { Log } from './screen.ts';

export interface Guard {
  /** Null when it could not start. */
  start<Api>(what: string, create: () => Module<Api>): Api | null;
}

export function createGuard(context: vscode.ExtensionContext, log: Log): Guard {
  return {
    start: (what, create) => {
      try {
        const { api, disposables } = create();
        context.subscriptions.push(...disposables);
        return api;
      } catch (error) {
        log.error(`${what} could not start`, error);
        void fail(`Hitch: ${what} could not start, everything else works: ${sentence(error)}`);
        return null;
      }
    },
  };
}
