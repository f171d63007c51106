/**
 * The sshd processes of this node, one a connection. They outlive the agent, so that work over ssh goes on while it is
 * replaced; written down, so that the next agent can end them with the node (sshd writes its title over the tag).
 */
import { readFileSync } from 'node:fs';
import * as z from 'zod';
import { writeFileAtomic } from '@hitch/platform/src/atomic-file.ts';
import type { Clock } from '@hitch/platform/src/clock.ts';
import { endProcess } from '../processes/ending.ts';
import { startTimeOf } from '../processes/identity.ts';

const recordSchema = z.array(z.object({ pid: z.number().int(), startTime: z.string() }));
type Session = z.infer<typeof recordSchema>[number];

const GRACE_MS = 1_000;

export class Sessions {
  readonly #clock: Clock;
  readonly #file: string;
  #known: Session[];

  /** @param file where they are written down. */
  constructor(clock: Clock, file: string) {
    this.#clock = clock;
    this.#file = file;
    this.#known = read(file);
  }

  get count(): number {
    return this.#known.length;
  }

  async began(pid: number): Promise<void> {
    const startTime = await startTimeOf(pid);
    if (startTime !== null) {
      this.#keep([...this.#known, { pid, startTime }]);
    }
  }

  ended(pid: number): void {
    this.#keep(this.#known.filter(session => session.pid !== pid));
  }

  async endAll(): Promise<void> {
    const all = this.#known;
    this.#keep([]);
    await Promise.all(all.map(({ pid, startTime }) => endProcess(this.#clock, pid, startTime, GRACE_MS)));
  }

  #keep(sessions: Session[]): void {
    if (sessions.length === this.#known.length) {
      return;
    }
    this.#known = sessions;
    try {
      writeFileAtomic(this.#file, JSON.stringify(sessions));
    } catch {
      // A full disk: only an agent that comes after this one misses it, and ssh is how people make room.
    }
  }
}

function read(file: string): Session[] {
  try {
    return recordSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return [];
  }
}
