/** What is left out of copies: one rule for all clients. */
import type { WalkRules } from './entry.ts';

/**
 * Sending leaves out what the folder's own rules name, and what tools make anew on the other side. What links point to
 * outside of the tree is sent in their place: a model in a cache of snapshots is links into blobs.
 */
export const SEND_RULES: WalkRules = {
  follow: true,
  ignoreFiles: ['.gitignore', '.hitchignore'],
  ignoreNames: ['.git', '__pycache__', '.ipynb_checkpoints'],
};

/** Results are what `.gitignore` names as a rule: what is fetched or saved obeys only the file that is Hitch's own. */
export const FETCH_RULES: WalkRules = { follow: false, ignoreFiles: ['.hitchignore'], ignoreNames: [] };

/** `--all`. */
export const withoutRules = (rules: WalkRules): WalkRules => ({
  ...rules,
  ignoreFiles: [],
  ignoreNames: [],
});
