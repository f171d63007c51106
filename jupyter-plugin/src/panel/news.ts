/** The few events that a row has room for: what a person would tell another, each once. */
import { PHASE_WORDS, type ClusterEvent, type ClusterPhase } from '@hitch/contract';
import { tellingEvents } from '@hitch/contract/src/event-words.ts';

export interface NewsItem {
  readonly atMs: number;
  readonly text: string;
  readonly warns: boolean;
}

const isPhase = (value: string): value is ClusterPhase => Object.hasOwn(PHASE_WORDS, value);

/** Its message, or the name of the phase that it begins; null: nothing to tell. */
function textOf({ kind, message, value }: ClusterEvent): string | null {
  if (message !== '') {
    return message;
  }
  return kind === 'phase' && isPhase(value) ? PHASE_WORDS[value] : null;
}

/** @returns the newest first. A node that says what its cluster just said is left out. */
export function newsOf(events: readonly ClusterEvent[], most: number): NewsItem[] {
  const items: NewsItem[] = [];
  for (const event of tellingEvents(events)) {
    const text = textOf(event);
    if (text !== null && text !== items.at(-1)?.text) {
      items.push({ atMs: event.atMs, text, warns: event.kind === 'warning' });
    }
  }
  return items.slice(-most).reverse();
}
