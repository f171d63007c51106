/** Commands: each id once, each failure one sentence. */
import * as vscode from 'vscode';
import { COMMANDS, type CommandId } from '../declared/commands.ts';
import { isAbort, sentence } from '../sentence.ts';
import { fail } from './messages.ts';
import type { Log } from './screen.ts';

export class Commands {
  readonly #log: Log;

  constructor(log: Log) {
    this.#log = log;
  }

  register(id: CommandId, run: (...args: readonly unknown[]) => unknown): vscode.Disposable {
    return vscode.commands.registerCommand(id, async (...args: readonly unknown[]) => {
      try {
        return await run(...args);
      } catch (error) {
        this.tell(id, error);
        return undefined;
      }
    });
  }

  /** Also for what a command began and does not wait for. What somebody gave up is nothing to tell. */
  tell(id: CommandId, error: unknown): void {
    if (error instanceof vscode.CancellationError || isAbort(error)) {
      return;
    }
    this.#log.error(`${COMMANDS[id]} failed`, error);
    // Not awaited: a message that stays would keep the command, and whoever waits for it, from ending.
    void this.#show(error);
  }

  async #show(error: unknown): Promise<void> {
    const show = 'Show Log';
    if ((await fail(sentence(error), show)) === show) {
      this.#log.show();
    }
  }
}
