/** The page's questions of how a cluster's machines did, and the answers to them. */
import type { UsePage } from '@hitch/contract/src/use/wire.ts';
import type { NodeUseFunction } from '@hitch/views';
import type { FromPage, ToPage } from './messages.ts';

export interface UseAsking {
  readonly ask: NodeUseFunction;
  /** @returns whether it was an answer to one of these. */
  take(message: ToPage): boolean;
}

interface Waiting {
  readonly resolve: (page: UsePage) => void;
  readonly reject: (error: Error) => void;
}

export function useAsking(say: (message: FromPage) => void): UseAsking {
  const waiting = new Map<number, Waiting>();
  let questions = 0;
  const answered = (question: number): Waiting | undefined => {
    const found = waiting.get(question);
    waiting.delete(question);
    return found;
  };
  return {
    ask: (nodeIndex, { scale = 'fine', afterMs = 0, withinMs }) =>
      new Promise((resolve, reject) => {
        const question = ++questions;
        waiting.set(question, { resolve, reject });
        const query = { scale, afterMs, ...(withinMs === undefined ? {} : { withinMs }) };
        say({ kind: 'use', question, nodeIndex, query });
      }),
    take: message => {
      switch (message.kind) {
        case 'use':
          answered(message.question)?.resolve(message.page);
          return true;
        case 'problem': {
          const found = answered(message.question);
          found?.reject(new Error(message.sentence));
          return found !== undefined;
        }
        default:
          return false;
      }
    },
  };
}
