/** How late the event loop is: what a person would feel as a daemon that hangs. */
import { monitorEventLoopDelay } from 'node:perf_hooks';

const RESOLUTION_MS = 10;

export interface EventLoopWatch {
  /** 99th percentile of the delay since the last call, in ms. The first call answers 0, and starts the measuring. */
  p99Ms(): number;
}

/** Wakes the process a hundred times a second, but only once somebody has looked. */
export function watchEventLoop(): EventLoopWatch {
  let histogram: ReturnType<typeof monitorEventLoopDelay> | null = null;
  return {
    p99Ms() {
      if (histogram === null) {
        histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
        histogram.enable();
        return 0;
      }
      // The histogram holds the whole interval between two looks, of which the resolution is intended.
      const delayMs = histogram.count === 0 ? 0 : Math.max(0, histogram.percentile(99) / 1e6 - RESOLUTION_MS);
      histogram.reset();
      return delayMs;
    },
  };
}
