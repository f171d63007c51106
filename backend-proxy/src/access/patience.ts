/** Waits for machines that a person may set: on a slow network, or where many of them are expected to fail. */
export interface Patience {
  /** The longest pause between two tries to reach a machine. */
  readonly reconnectLongestMs: number;
  /** The longest that a machine may take to answer what a client asks. */
  readonly answerMs: number;
  /** How often it is tried whether a rented machine that is reached would let its key in once more. */
  readonly handshakeEveryMs: number;
}
export const PATIENCE: Patience = {
  reconnectLongestMs: 20_000,
  answerMs: 120_000,
  handshakeEveryMs: 900_000,
};
