/** How late the event loop is: what a person would feel as a daemon that hangs. */
import { monitorEventLoopDelay } from 'node:perf_hooks';

const RESOLUTION_MS = 10;

export interface EventLoopWatch {
  /** 99th percentile of the delay since the last call, in ms; 0 where nothing was measured yet. */
  p99Ms(): number;
}

export function watchEventLoop(): EventLoopWatch {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  return {
    p99Ms() {
      // The histogram holds the whole interval between two looks, of which the resolution is intended.
      const delayMs = histogram.count === 0 ? 0 : Math.max(0, histogram.percentile(99) / 1e6 - RESOLUTION_MS);
      histogram.reset();
      return delayMs;
    },
  };
}
