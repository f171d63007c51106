/** Ctrl-C as something a command can wait for, instead of the end of the process. */

export interface Interrupts {
  /**
   * Calls `handler` at each Ctrl-C until the returned function is called. While nobody listens, Ctrl-C ends the
   * process as usual.
   */
  listen(handler: () => void): () => void;
}

export const processInterrupts: Interrupts = {
  listen: handler => {
    process.on('SIGINT', handler);
    return () => {
      process.off('SIGINT', handler);
    };
  },
};

/**
 * Runs `work` with a signal that Ctrl-C aborts once. A second Ctrl-C while `work` winds down is left to
 * `onSecond`. @throws InterruptedError when `work` throws after the abort.
 */
export async function interruptible<T>(
  interrupts: Interrupts,
  work: (signal: AbortSignal) => Promise<T>,
  onSecond: () => void = () => undefined,
): Promise<T> {
  const controller = new AbortController();
  const stop = interrupts.listen(() => {
    if (controller.signal.aborted) {
      onSecond();
    } else {
      controller.abort(new InterruptedError());
    }
  });
  try {
    return await work(controller.signal);
  } catch (error) {
    // What was aborted says so in many ways.
    throw controller.signal.aborted ? new InterruptedError() : error;
  } finally {
    stop();
  }
}

/** The reason of a signal that Ctrl-C aborted. */
export class InterruptedError extends Error {
  override readonly name = 'InterruptedError';

  constructor() {
    super('Interrupted.');
  }
}
