/** Whether anybody can see this page. */
export interface Page {
  readonly hidden: boolean;
  /** @returns what ends the watching. */
  onChange(run: () => void): () => void;
}

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
};
