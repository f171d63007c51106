/** The contract, ready to be given handlers. */
import { implement } from '@orpc/server';
import { contract } from '@hitch/contract';
import type { ApiParts } from './parts.ts';
import type { AgentCalls } from './agent-calls.ts';

export interface ApiContext {
  readonly parts: ApiParts;
  readonly agents: AgentCalls;
  /** Aborted when the daemon ends: streams finish. */
  readonly closing: AbortSignal;
  /** Runs once this request's answer has left. */
  readonly afterAnswer: (run: () => void) => void;
}

export const routes = implement(contract).$context<ApiContext>();
