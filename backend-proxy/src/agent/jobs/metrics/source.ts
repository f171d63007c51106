/** What the readers of figures have in common. */

/** Takes one value. @param step NaN: none was said. */
export type Take = (name: string, step: number, atMs: number, value: number) => void;

/** How a look at a file ended. `more`: there is more to read now · `end`: all is read · `damaged`: nothing more can be read. */
export type Looked = 'more' | 'end' | 'damaged';

/** One look reads so many bytes of a file: the agent has kernels to serve. */
export const LOOK_BYTES = 1024 * 1024;
