/** What a copy is of, and how. */
import type { Conflict } from '@hitch/contract/src/copies.ts';
import type { HitchError } from '@hitch/contract/src/errors.ts';
import type { WalkRules } from './entry.ts';
import type { Source, Target } from './sides.ts';

export interface CopyPlan {
  readonly source: Source;
  readonly target: Target;
  /** As the source reads them. */
  readonly roots: readonly string[];
  /** Where each root goes. */
  readonly to: readonly string[];
  readonly rules: WalkRules;
  /** Null: asked of the host where something is in the way. */
  readonly conflict: Conflict | null;
  /** The date that things kept beside get in their names. */
  readonly stamp: string;
  /** Left free at the target. */
  readonly spareBytes: number;
  /** What a root that does not exist fails with; left out: it is counted as gone. */
  readonly missing?: (root: string) => HitchError;
}
