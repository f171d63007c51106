/** What every feature is: what it offers to others, and what ends it. Disposables are disposed last to first. */
import type * as vscode from 'vscode';
import type { Connection } from '../daemon/connect.ts';
import type { Commands } from './commands.ts';
import type { ContextKeys } from './context-keys.ts';
import type { Memory } from './memory.ts';
import type { Log } from './screen.ts';
import type { Settings } from './settings.ts';

/** Anything that can be ended. */
export interface Ending {
  dispose(): unknown;
}

export interface Module<Api> {
  readonly api: Api;
  readonly disposables: readonly Ending[];
}

/** What every feature may use. */
export interface Host {
  readonly context: vscode.ExtensionContext;
  readonly log: Log;
  readonly connection: Connection;
  readonly commands: Commands;
  readonly contextKeys: ContextKeys;
  /** Of all windows. */
  readonly memory: Memory;
  /** Of this window, over its reloads. */
  readonly windowMemory: Memory;
  readonly settings: Settings;
}

/** A model's listener as an editor's disposable. */
export const disposable = (stop: () => unknown): Ending => ({ dispose: stop });
