/** The page as the plugin has to know it: whether anybody can see it, and whether it is busy. */
export interface Page {
  readonly hidden: boolean;
  /** @returns what ends the watching. */
  onChange(run: () => void): () => void;
  /** Once the page has nothing more urgent to do. */
  whenIdle(run: () => void): void;
}

const IDLE_WITHIN_MS = 1_000;

export const thisPage: Page = {
  get hidden() {
    return document.visibilityState === 'hidden';
  },
  onChange: run => {
    document.addEventListener('visibilitychange', run);
    return () => {
      document.removeEventListener('visibilitychange', run);
    };
  },
  whenIdle: run => {
    // Safari has none.
    if (typeof window.requestIdleCallback === 'function') {
      window.requestIdleCallback(run, { timeout: IDLE_WITHIN_MS });
    } else {
      setTimeout(run);
    }
  },
};
