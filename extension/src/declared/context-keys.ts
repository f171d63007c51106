/** Every context key that a `when` clause may ask for, and what it is before anything is known. */
export const CONTEXT_KEYS = {
  /** `starting`, `absent` (no daemon), `loading`, `ready`, `lost` (it was there), `failed`. */
  'hitch.connection': 'starting',
  /** The first list of clusters has come. */
  'hitch.hasClusters': false,
  /** No network but the practice market is there to rent from. */
  'hitch.practiceOnly': false,
  /** Kernels can be attached from this window: Jupyter is here and new enough. */
  'hitch.canRunNotebooks': true,
  /** A cluster has files that can be reached. */
  'hitch.hasFiles': false,
  // The steps of the walkthrough; once done, done.
  'hitch.did.connect': false,
  'hitch.did.rent': false,
  'hitch.did.runOn': false,
  'hitch.did.stop': false,
} as const;

export type ContextKey = keyof typeof CONTEXT_KEYS;
