/** The question of a cell's `input()` that nobody has answered: what it was, and whom the kernel asked. */
import { peekFrame } from '@hitch/contract';
import type { JournalRecord } from './journal/record.ts';
import { partOf } from './part-of.ts';

export interface Prompt {
  readonly frame: Buffer;
  readonly execution: number;
  /** Session of the client whose cell asks. */
  readonly session: string;
}

/** Follows the journal's records, live or at recovery. */
export class PendingPrompt {
  #prompt: Prompt | null = null;

  get(): Prompt | null {
    return this.#prompt;
  }

  see(record: JournalRecord): void {
    if (record.kind === 'server' && record.type === 'input_request') {
      const session = peekFrame(record.frame).parentSession;
      this.#prompt = { frame: record.frame, execution: record.execution, session };
    } else if (this.#prompt !== null && this.#isOver(this.#prompt, record)) {
      this.#prompt = null;
    }
  }

  /** An answer is on its way to the kernel. */
  answered(): void {
    this.#prompt = null;
  }

  #isOver({ execution }: Prompt, record: JournalRecord): boolean {
    if (record.kind === 'mark' || (record.kind === 'seen' && record.channel === 'stdin')) {
      return true;
    }
    if (record.kind !== 'server') {
      return false;
    }
    if (record.type === 'status') {
      const state = partOf(record.frame, 'content')['execution_state'];
      return (
        state === 'restarting' || state === 'dead' || (state === 'idle' && record.execution === execution)
      );
    }
    return record.type === 'execute_reply' && record.execution === execution;
  }
}
