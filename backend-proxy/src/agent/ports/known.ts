/** Which well-known dashboard a process shows on a port: by its own program where it has one, else by its usual port. */
import { basename } from 'node:path';
import type { KnownPort } from '@hitch/contract';

/** Programs and modules that are a dashboard's own. */
const BY_PROGRAM: readonly (readonly [KnownPort, RegExp])[] = [
  ['tensorboard', /^tensorboard(?:\.main)?$/],
  ['streamlit', /^streamlit$/],
  ['mlflow', /^mlflow$/],
  ['gradio', /^gradio$/],
  ['dask', /^(?:dask-scheduler|distributed\.cli\.dask_scheduler)$/],
];

/** The ports that each takes when it is told none, and the programs that libraries of it run in. */
const BY_PORT: readonly (readonly [KnownPort, number, number, RegExp])[] = [
  ['tensorboard', 6006, 6006, /^python/],
  ['gradio', 7860, 7959, /^python/],
  ['streamlit', 8501, 8501, /^python/],
  ['dask', 8787, 8787, /^python/],
  // One port for each application on the machine (spark.port.maxRetries is 16).
  ['spark', 4040, 4056, /^java$/],
];

/** The application that MLflow has a web server of its own kind run. */
const MLFLOW_SERVER = /^mlflow\.server\b/;

/** @param words the process's command line; nothing of it leaves this function. */
export function knownPort(words: readonly string[], port: number): KnownPort | null {
  const [program = '', first, module] = words.map(word => basename(word));
  // A program of a package is a script that its interpreter is given, or a module after -m.
  const named = [program, (first === '-m' ? module : first) ?? ''];
  if (words.some(word => MLFLOW_SERVER.test(word))) {
    return 'mlflow';
  }
  return (
    BY_PROGRAM.find(([, pattern]) => named.some(word => pattern.test(word)))?.[0] ??
    BY_PORT.find(([, low, high, pattern]) => port >= low && port <= high && pattern.test(program))?.[0] ??
    null
  );
}
