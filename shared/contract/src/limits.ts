/** The limits of a cluster that nobody gave any. All clients begin with these, so that one rental is like another. */

const MINUTE_MS = 60_000;

export const DEFAULT_LIMITS = {
  /** The most that one run may cost. */
  capMicroUsd: 2_000_000n,
  /** How long it runs. On the wire a missing stop time is none: a client asks for this one. */
  stopAfterMs: 240 * MINUTE_MS,
  /** Without work. */
  idleMs: 30 * MINUTE_MS,
} as const;
