/** A command's way to the daemon. */
import type { HitchApi, HitchClient } from '@hitch/contract';

export type Api = HitchApi;

/** Where the daemon listens and the bearer it wants. */
export interface DaemonAddress {
  /** Such as `http://127.0.0.1:43211`, without a slash at the end. */
  readonly baseUrl: string;
  readonly token: string;
}

export interface Session {
  readonly client: HitchClient;
  /** The client's procedures. */
  readonly api: Api;
  /** Where the daemon is at this moment; one that has died meanwhile is started again. */
  address(): Promise<DaemonAddress>;
  close(): Promise<void>;
}

export interface DaemonStatus {
  readonly running: boolean;
  readonly pid: number | null;
  readonly port: number | null;
  readonly version: string | null;
  readonly home: string;
}

/** What the CLI asks of the daemon's life. */
export interface Daemons {
  /** Finds the daemon or starts it. @throws HitchError with a sentence. */
  connect(): Promise<Session>;
  status(): Promise<DaemonStatus>;
  /** Asks a running daemon to end; false when none runs. */
  stop(): Promise<boolean>;
  /** Runs the daemon in this process until it ends. */
  runForeground(): Promise<void>;
}
