/** Files that were chosen with a rental, sent once its notebook is ready. */
import type { ClusterId } from '@hitch/contract';
import type { CommandRegistry } from '@lumino/commands';
import { failed, sentenceOf } from '../actions/report.ts';
import type { IHitch } from '../tokens.ts';

export const SEND_COMMAND = 'hitch:send-to';

/** Lives as long as the page, like the promise it keeps. */
class SendLater {
  readonly #commands: CommandRegistry;
  readonly #waiting = new Map<ClusterId, readonly string[]>();

  constructor(hitch: IHitch, commands: CommandRegistry) {
    this.#commands = commands;
    hitch.changed.connect(this.#look, this);
  }

  add(id: ClusterId, paths: readonly string[]): void {
    if (paths.length > 0) {
      this.#waiting.set(id, paths);
    }
  }

  #look({ clusters }: IHitch): void {
    for (const { id, conditions, endedAtMs } of clusters) {
      const paths = this.#waiting.get(id);
      if (paths !== undefined && endedAtMs !== null) {
        this.#waiting.delete(id);
      } else if (paths !== undefined && conditions.kernel.status === 'yes') {
        this.#waiting.delete(id);
        // The files' own list of clusters hears of it in the same turn, perhaps after this.
        Promise.resolve()
          .then(() =>
            this.#commands.execute(SEND_COMMAND, { clusterId: id, paths: [...paths], agreed: true }),
          )
          .catch((error: unknown) => failed(sentenceOf(error)));
      }
    }
  }
}

let later: SendLater | null = null;

/** One for the page: it outlives the tab or the dialog that files were chosen in. */
export const sendLater = (hitch: IHitch, commands: CommandRegistry): SendLater =>
  (later ??= new SendLater(hitch, commands));
