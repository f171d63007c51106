/** The limits of a cluster that nobody gave any. All clients begin with these, so that one rental is like another. */

const MINUTE_MS = 60_000;

/** A stop time that comes so soon after the end of what is paid is no reason to pay another term. */
export const TERM_SLACK_MS = MINUTE_MS;

export const DEFAULT_LIMITS = {
  /** The most that one run may cost. */
  capMicroUsd: 2_000_000n,
  /** How long it runs. On the wire a missing stop time is none: a client asks for this one. */
  stopAfterMs: 240 * MINUTE_MS,
  /** Without work. */
  idleMs: 30 * MINUTE_MS,
} as const;
