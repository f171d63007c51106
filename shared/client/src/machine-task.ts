/** What the daemon does on a machine of one's own, followed to its end. */
import {
  errorFromEnvelope,
  type HitchClient,
  HitchError,
  isTaskOver,
  type MachineTask,
} from '@hitch/contract';

/** One call is answered at the latest after so long, and the task is asked for again. */
const WAIT_MS = 2_000;

export interface FollowOptions {
  /** Aborted: the task is cancelled, unless it is done by then. */
  readonly signal: AbortSignal;
  /** What it is at, a sentence, each time that it is another one. */
  readonly onStep: (step: string) => void;
}

/**
 * Resolves with the task once it is done, or asks for the machine's key.
 * @throws HitchError what it failed with, or CONFLICT where another client cancelled it; the signal's reason.
 */
export async function followTask(
  { api }: Pick<HitchClient, 'api'>,
  begun: MachineTask,
  { signal, onStep }: FollowOptions,
): Promise<MachineTask> {
  let task = begun;
  let said = '';
  try {
    while (!isTaskOver(task)) {
      signal.throwIfAborted();
      if (task.step !== said) {
        onStep((said = task.step));
      }
      task = await api.networks.task({ taskId: task.id, waitMs: WAIT_MS }, { signal });
    }
  } catch (error) {
    // Nobody waits for it any more, whether a person gave up or the daemon could not be asked.
    const ended = await api.networks.cancelTask({ taskId: task.id }).catch(() => undefined);
    if (ended?.state === 'done') {
      // That came too late.
      return ended;
    }
    throw error;
  }
  if (task.problem !== null) {
    throw errorFromEnvelope(task.problem);
  }
  if (task.state === 'cancelled') {
    throw new HitchError('CONFLICT', `What was done on ${task.machine} was cancelled by another client.`);
  }
  return task;
}
