/** The only place that sets context keys; it tells VS Code only what has changed. */
import * as vscode from 'vscode';
import { CONTEXT_KEYS, type ContextKey } from '../declared/context-keys.ts';

export class ContextKeys {
  readonly #values = new Map<ContextKey, string | boolean>();

  constructor() {
    for (const [key, value] of Object.entries(CONTEXT_KEYS)) {
      void vscode.commands.executeCommand('setContext', key, value);
    }
  }

  set(key: ContextKey, value: string | boolean): void {
    if (this.#values.get(key) !== value) {
      this.#values.set(key, value);
      void vscode.commands.executeCommand('setContext', key, value);
    }
  }

  get(key: ContextKey): string | boolean {
    return this.#values.get(key) ?? CONTEXT_KEYS[key];
  }
}
