/** Programs that come from JupyterLab's page when an output first needs them: the frame itself reaches no server. */
import { runScript } from './scripts.ts';
import { send } from './port.ts';
import type { FromFrame, ToFrame } from './words.ts';

type Name = Extract<FromFrame, { type: 'need' }>['name'];
type Came = Extract<ToFrame, { type: 'library' }>;

const asked = new Map<string, PromiseWithResolvers<null>>();

/** Resolves once it has run. */
export function library(name: Name): Promise<null> {
  const known = asked.get(name);
  if (known !== undefined) {
    return known.promise;
  }
  const wanted = Promise.withResolvers<null>();
  asked.set(name, wanted);
  send({ type: 'need', name });
  return wanted.promise;
}

export function libraryCame({ name, code, problem }: Came): void {
  const wanted = asked.get(name);
  if (problem !== '') {
    wanted?.reject(new Error(problem));
    return;
  }
  runScript(code);
  wanted?.resolve(null);
}
