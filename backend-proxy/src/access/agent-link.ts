/** A live way to one agent: where its socket is, and the bearer it wants. */
import type { AgentAddress } from './host.ts';

export interface AgentLink {
  readonly address: AgentAddress;
  readonly token: string;
  /** Aborted when the tunnel under it is gone; a new link then stands in its place. */
  readonly closed: AbortSignal;
}
