/** Asks for something of each product, so that one that does not answer keeps nothing of the other from anybody. */
import { errorText } from '@hitch/platform/src/log.ts';
import { type NextPage, ProviderError } from '../provider.ts';
import type { SoldAs } from './products.ts';

export interface Missing {
  readonly sold: SoldAs;
  /** A sentence. */
  readonly why: string;
}

export interface Alone<Answer> {
  /** Of those that answered, in their order. */
  readonly answers: readonly Answer[];
  readonly missing: readonly Missing[];
}

type Ask<Answer> = (nextPage?: NextPage) => Promise<Answer>;

/**
 * One after the other. @throws what the first of them threw, where none answers, and at once what is of both: that the signal was
 * aborted, or that the network asks to wait
 */
export async function eachAlone<Answer>(
  asked: readonly (readonly [sold: SoldAs, ask: Ask<Answer>])[],
  signal: AbortSignal,
  nextPage?: NextPage,
): Promise<Alone<Answer>> {
  const answers: Answer[] = [];
  const missing: Missing[] = [];
  const errors: unknown[] = [];
  const waits = new Set<unknown>();
  const next: NextPage = async () => {
    await nextPage?.().catch((error: unknown) => {
      waits.add(error);
      throw error;
    });
  };
  for (const [at, [sold, ask]] of asked.entries()) {
    if (at > 0) {
      await next();
    }
    try {
      answers.push(await ask(next));
    } catch (error) {
      const isOfBoth = signal.aborted || waits.has(error);
      if (isOfBoth || !(error instanceof ProviderError) || error.retryAfterMs !== null) {
        throw error;
      }
      errors.push(error);
      missing.push({ sold, why: errorText(error) });
    }
  }
  if (answers.length === 0) {
    throw errors[0];
  }
  return { answers, missing };
}
