/** One false answer, as the test sends it to the liar: small to send, as large as one likes to say. */

/** Text, or text said so many times (-1: without an end); `base64` is bytes. */
export type Piece = string | { readonly text: string; readonly times: number } | { readonly base64: string };

export interface Lie {
  /** What is wrong with it, for the report: `files.stat: huge at name`. */
  readonly name: string;
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly pieces: readonly Piece[];
  /** A pause before each piece and each repetition. */
  readonly everyMs?: number;
  /** Nothing at all is answered. */
  readonly silent?: true;
  /** The connection breaks after the pieces. */
  readonly breaks?: true;
  /** The pieces stand in the place of HTTP's own head, too. */
  readonly raw?: true;
}

/** A route of the contract, as a machine sees it: `/kernels/{kernelId}/cursor`. */
export interface Route {
  readonly name: string;
  readonly method: string;
  readonly path: string;
  /** A stream of events rather than one answer. */
  readonly isStream: boolean;
}

/** What the liar says as long as it was not told to lie. */
export interface HonestAnswer extends Route {
  /** JSON, in which `$nodeId` and `$ref` stand for this machine's own. */
  readonly text: string;
}
