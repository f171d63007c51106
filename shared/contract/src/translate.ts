/** How words come into a person's language: a client gives its own translation. */

/** Gives `text` in the person's language with `%1`, `%2`… replaced by `args`. */
export type Translate = (text: string, ...args: readonly (string | number)[]) => string;

/** English as it is written in the code. */
export const asWritten: Translate = (text, ...args) =>
  text.replace(/%(\d)/g, (whole, place: string) => {
    const value = args[Number(place) - 1];
    return value === undefined ? whole : String(value);
  });
