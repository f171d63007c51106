/**
 * Ray Train on several nodes writes into one folder, which all of them must see: a worker on another node than the head would
 * find no checkpoint to go on from. Rented machines share no disk, so it has to be a bucket.
 */

/** The parameter by which a template's program is told where. */
export const STORAGE = 'storage';

/** @param storage the parameter's value; a template may have none. @returns a sentence; null where it is right. */
export function storageProblem({
  nodes,
  storage,
}: {
  readonly nodes: number;
  readonly storage: unknown;
}): string | null {
  const isBucket = typeof storage === 'string' && /^(?!file:)[a-z][a-z0-9+.-]*:\/\//.test(storage);
  return nodes < 2 || isBucket
    ? null
    : `Ray Train needs a folder that all nodes see. Set the parameter ${STORAGE} to a bucket, s3://…, or use one node.`;
}

/** Whether a program's text trains with Ray Train, by what it imports. */
export const trainsWithRay = (text: string): boolean =>
  /^[ \t]*(?:import[ \t]+ray\.train\b|from[ \t]+ray\.train\b|from[ \t]+ray[ \t]+import[ \t][^\n]*\btrain\b)/m.test(
    text,
  );
