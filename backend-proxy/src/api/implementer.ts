/** The contract, ready to be given handlers. */
import { implement } from '@orpc/server';
import { contract, HitchError } from '@hitch/contract';
import type { ApiParts } from './parts.ts';
import type { AgentCalls } from './agent-calls.ts';

export interface ApiContext {
  readonly parts: ApiParts;
  readonly agents: AgentCalls;
  /** A page's server asks, with the bearer of pages: what it says may come from any script in the page. */
  readonly fromPage: boolean;
  /** Where a page's server confines local paths to; '': nowhere; null: a program of the user's asks. */
  readonly localRoot: string | null;
  /** Aborted when the daemon ends: streams finish. */
  readonly closing: AbortSignal;
  /** Runs once this request's answer has left. */
  readonly afterAnswer: (run: () => void) => void;
}

/** @throws HitchError BAD_INPUT for a path of this computer that a page names; its server's own folder is all it has. */
export function refuseFromPages(
  { localRoot }: Pick<ApiContext, 'localRoot'>,
  field: string,
  path: string | null | undefined,
): void {
  if (localRoot !== null && path !== null && path !== undefined) {
    throw new HitchError('BAD_INPUT', `“${field}” cannot be named from a page.`, {
      field,
      next: 'Use the command hitch on this computer.',
    });
  }
}

/** @throws HitchError APPROVAL_NEEDED for what only the user's own programs may do. */
export function refusePages({ fromPage }: Pick<ApiContext, 'fromPage'>, what: string, next: string): void {
  if (fromPage) {
    throw new HitchError('APPROVAL_NEEDED', `A page may not ${what} by itself.`, { next });
  }
}

export const routes = implement(contract).$context<ApiContext>();
