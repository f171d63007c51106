/** Entry of a thread of {@link file://./many.ts}: does the run of each seed that it is sent, and answers what it came to. */
import { parentPort, workerData } from 'node:worker_threads';
import { oneRun } from './many.ts';

// Runs make thousands of errors, which networks and disks are to answer with: of each its place is enough. A run that is
// replayed stays in the main thread, and tells all.
Error.stackTraceLimit = 1;

parentPort?.on('message', (seed: number) => {
  // What a run throws ends this thread, which whoever waits for the run is told.
  void oneRun(seed, workerData as readonly string[]).then(over => parentPort?.postMessage(over));
});
