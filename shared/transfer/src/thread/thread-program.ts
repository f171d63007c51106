/** Where the thread's program is. In a bundle this file is replaced by one that holds the program itself. */
export const program: { readonly code: string } | { readonly url: URL } = {
  url: new URL('./disk-worker.ts', import.meta.url),
};
