/** The list of a person's own machines, and what they do with it, whatever reaches them. */
import type { HostKey, OwnMachine, ProviderId } from '@hitch/contract';
import type { FarTarget } from '../access/tunnel/target.ts';
import type { FarFacts } from '../machines/far/facts.ts';

/** Who uses a machine now. */
export interface MachineUse {
  readonly ref: string;
  /** Whose use it is: `ada@laptop`. */
  readonly by: string;
  readonly gpuCount: number;
  /** Which of its GPUs; empty: all of them, or nobody said which. */
  readonly gpuIds: readonly string[];
}

/** A machine as it is now. */
export interface SeenMachine {
  readonly name: string;
  readonly facts: FarFacts;
  readonly leases: readonly MachineUse[];
}

/** What is known of a machine that was taken off the list. */
export interface Removed {
  /** What still runs there. */
  readonly left: readonly MachineUse[];
  /** Why that could not be looked at, a sentence; null: it was. */
  readonly problem: string | null;
}

/** A machine that the user's configuration names, and what stands behind it. */
export interface NamedMachine {
  readonly name: string;
  /** Null: it could not be found out. */
  readonly user: string | null;
  readonly address: string | null;
  readonly isAdded: boolean;
}

/** Whether this is the machine's key. */
export type AskKey = (key: HostKey) => Promise<boolean>;

/** Takes what is being done, a sentence. */
export type Say = (step: string) => void;

export interface OwnMachines {
  /** Whose offers they are. */
  readonly network: ProviderId;
  /** As it is now: it may be changed by hand while a daemon runs. @throws HitchError when it cannot be read. */
  list(): readonly OwnMachine[];
  get(name: string): OwnMachine | undefined;
  /** How ssh is led to one. */
  targetOf(name: string): FarTarget;
  /** Machines that the user's configuration names. */
  named(): Promise<readonly NamedMachine[]>;
  /** @throws HitchError BAD_INPUT for what is no name of a machine. */
  readName(name: string): void;
  /** @throws HitchError BAD_INPUT, NOT_FOUND for one that is not on the list. */
  known(name: string): void;
  /** Reaches it, sees that clusters can run there, and puts it on the list. */
  add(machine: OwnMachine, askKey: AskKey, signal: AbortSignal, say: Say): Promise<SeenMachine>;
  test(name: string, signal: AbortSignal, say: Say): Promise<SeenMachine>;
  /** Takes it off the list, whatever it answers. What runs there goes on, and can be stopped. */
  remove(name: string, signal: AbortSignal): Promise<Removed>;
  /** Removes Hitch's packages from it. @returns the MiB that were freed. */
  clean(name: string, signal: AbortSignal): Promise<number>;
  /** What went wrong in one of these, as a client is told it; what is not known stays as it is. */
  sentenceOf(error: unknown): unknown;
}
