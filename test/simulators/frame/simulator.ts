/**
 * A network that stands here in the place of a real one: a state machine with a clock and a seed, asked in the same process by
 * adapters and chaos runs (`transport.ts`), and over HTTP by everybody else (`server.ts`). Each behaviour names in its comment
 * the file and function, or the page of the documentation, where the real network was seen to do it.
 */
import type { SshAddress } from '../../../backend-proxy/src/providers/provider.ts';
import type { MicroUsd } from '@hitch/contract';

/** Where ssh leads to a rented machine. */
export type RentedAddress = Extract<SshAddress, { kind: 'rented' }>;

export interface SimRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** By their names in small letters. */
  readonly headers: Readonly<Record<string, string>>;
  /** Read as JSON; undefined where there is none, the text where it is no JSON. */
  readonly body: unknown;
}

export interface SimAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** A text is sent as it is, everything else as JSON; undefined: an empty body. */
  readonly body?: unknown;
}

/** What was billed for one thing, exactly: the meter is held against it. */
export interface SimBill {
  readonly id: string;
  /** What it was bought under: a label, a name, a hash. */
  readonly mark: string | null;
  readonly label: string;
  readonly amountMicroUsd: MicroUsd;
}

/** What stands on an account now, whoever bought it. */
export interface SimRental {
  readonly id: string;
  readonly mark: string | null;
  readonly boughtAtMs: number;
  /** Null while it bills. */
  readonly endedAtMs: number | null;
  readonly perHourMicroUsd: MicroUsd;
}

export interface Simulator {
  /** Such as `vast`: the network's id in Hitch. */
  readonly id: string;
  /** Answers one request. Never throws: what it does not know is answered as the network answers that. */
  handle(request: SimRequest): Promise<SimAnswer>;
  /** Everything that was ever bought here, in the order of its purchase. */
  rentals(): readonly SimRental[];
  /** The network's own bill until now, exact to the micro-dollar, a line for each rental and part. */
  bill(): readonly SimBill[];
  /** Ends the machines that are real. */
  close(): Promise<void>;
}

/** What the machines behind a simulator are. */
export interface SimMachines {
  /**
   * Starts one that a key opens. `environment` is what the network puts into the machine (`HITCH_PROOF` among it).
   * Resolves with its address when sshd answers there.
   */
  start(machine: {
    readonly id: string;
    readonly publicKeys: readonly string[];
    readonly environment: Readonly<Record<string, string>>;
  }): Promise<RentedAddress>;
  /** Lets these keys in and no others. */
  letIn(id: string, publicKeys: readonly string[]): Promise<void>;
  /** Ends every process of it; what it held is gone. One that is not there resolves. */
  end(id: string): Promise<void>;
  close(): Promise<void>;
}

/** What the containers behind a simulator are: each runs a program, and is on the web. */
export interface SimContainers {
  /** Where it will be on the web. */
  urlOf(id: string): string;
  /** Starts one that runs this; resolves when it answers there. */
  start(container: {
    readonly id: string;
    /** For `sh -c`. */
    readonly program: string;
    readonly environment: Readonly<Record<string, string>>;
  }): Promise<void>;
  /** Whether it answers a plain request with a success, as a network's check asks. */
  answersPlainly(id: string): Promise<boolean>;
  end(id: string): Promise<void>;
  close(): Promise<void>;
}
