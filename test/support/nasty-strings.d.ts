/**
 * What a stranger may call a file, a machine, a notebook, a terminal or an error. One list for every place of every client
 * that shows or writes such a text: who finds another attack adds it here, and every place is tried with it.
 */
export interface NastyString {
  readonly text: string;
  /** What it tries to do, and where. */
  readonly attacks: string;
}
export declare const NASTY: readonly NastyString[];
