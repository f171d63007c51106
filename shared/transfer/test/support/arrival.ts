/**
 * Whether what lies at a target is what the source holds, or the account says of it that it is not. Everything that is
 * wrong is told, a line each; an empty list is the requirement itself: nothing is missing without a word, nothing local
 * was replaced.
 */
import { ArrivedChanges } from './arrived-changes.ts';
import { ArrivedTree } from './arrived-tree.ts';
import { type Arrival, Judge } from './judge.ts';
import { KeptThings } from './kept-things.ts';

export type { Arrival } from './judge.ts';

export function problemsOf(arrival: Arrival): readonly string[] {
  const judge = new Judge(arrival);
  new ArrivedTree(judge).check();
  new ArrivedChanges(judge).check();
  new KeptThings(judge).check();
  return judge.problems;
}
