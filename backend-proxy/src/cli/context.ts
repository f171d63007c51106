/** What every command gets. */
import type { Clock } from '@hitch/platform/src/clock.ts';
import type { Ids, Random } from '@hitch/platform/src/random.ts';
import type { Interrupts } from './interrupts.ts';
import type { Io, IoParts } from './screen/io.ts';
import type { Daemons, Session } from '@hitch/client-node/src/session.ts';

/** The outside world of the program; tests put their own in. */
export interface CliDeps extends IoParts {
  readonly cwd: string;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly random: Random;
  readonly daemons: Daemons;
  readonly interrupts: Interrupts;
  /** Opens an address in the person's browser. @returns false where none can be opened from here */
  readonly browser: (url: string) => Promise<boolean>;
}

export interface Context {
  readonly io: Io;
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly random: Random;
  readonly daemons: Daemons;
  readonly interrupts: Interrupts;
  readonly browser: CliDeps['browser'];
  /** Connected on first use and closed at the end of the command. */
  readonly session: () => Promise<Session>;
}
