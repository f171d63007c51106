/** The client: one per cluster, cheap to make, closed when it made its own connections. */
import type { Agent as HttpAgent } from 'node:http';
import { Agent } from 'undici';
import type { Dispatcher } from 'undici';
import { ClusterApi } from './cluster.ts';
import { version } from './cluster-schemas.ts';
import type { RayVersion } from './cluster-schemas.ts';
import { HealthApi } from './health.ts';
import { JobsApi } from './jobs.ts';
import { NodesApi } from './nodes.ts';
import { PackagesApi } from './packages.ts';
import { realSleep } from './sleep.ts';
import type { Sleep } from './sleep.ts';
import { StateApi } from './state.ts';
import type { ConnectionFactory } from './tail-socket.ts';
import { connectorOf } from './connector.ts';
import { Transport } from './transport.ts';
import type { CallOptions, TokenSource } from './transport.ts';

export interface RayClientOptions {
  /** The dashboard, `http://127.0.0.1:8265` by default. A path in front of Ray's own is kept. */
  baseUrl?: string | URL | undefined;
  /** The cluster's token (`RAY_AUTH_MODE=token`), or a function asked before each call. */
  token?: TokenSource | undefined;
  /** Reach the dashboard through this Unix socket (or Windows pipe); `baseUrl` then only names the host and path. */
  socketPath?: string | undefined;
  /** Reach the dashboard through streams of your own, such as forwarded SSH channels. For `https:` they must be TLS already. */
  createConnection?: ConnectionFactory | undefined;
  /** Send HTTP calls through this undici dispatcher; give `webSocketAgent` too where the log tail needs the same way. Not closed by `close()`. */
  dispatcher?: Dispatcher | undefined;
  /** Node HTTP agent for the log tail alone. */
  webSocketAgent?: HttpAgent | undefined;
  /** Time limit for an answer to begin, and for each pause in it, in milliseconds. Default 30,000; Infinity for none. */
  timeoutMs?: number | undefined;
  /** Refuse larger answers; does not concern `jobs.tail`. Default 256 MiB. */
  maxResponseBytes?: number | undefined;
  /** Waits between polls and retries; for tests. */
  sleep?: Sleep | undefined;
}

/**
 * Ray's HTTP API: https://docs.ray.io/en/latest/cluster/running-applications/job-submission/rest.html and the
 * state API, as Ray 2.58 really answers. Field names are Ray's own.
 *
 * Every method takes `signal` and `timeoutMs`, and throws a {@link RayError} or the signal's reason.
 */
export class RayClient implements AsyncDisposable {
  readonly jobs: JobsApi;
  readonly packages: PackagesApi;
  readonly nodes: NodesApi;
  readonly cluster: ClusterApi;
  readonly state: StateApi;
  readonly health: HealthApi;
  readonly #transport: Transport;
  readonly #ownDispatcher: Dispatcher | undefined;

  constructor(options: RayClientOptions = {}) {
    const sleep = options.sleep ?? realSleep;
    const connect = connectorOf(options);
    this.#ownDispatcher = options.dispatcher === undefined ? new Agent(connect.http) : undefined;
    this.#transport = new Transport({
      baseUrl: dashboardUrl(options.baseUrl ?? 'http://127.0.0.1:8265'),
      token: options.token,
      dispatcher: options.dispatcher ?? this.#ownDispatcher,
      timeoutMs: options.timeoutMs ?? 30_000,
      maxResponseBytes: options.maxResponseBytes ?? 256 * 1024 * 1024,
    });
    this.jobs = new JobsApi(this.#transport, sleep, {
      agent: options.webSocketAgent,
      createConnection: connect.webSocket,
    });
    this.packages = new PackagesApi(this.#transport);
    this.nodes = new NodesApi(this.#transport);
    this.cluster = new ClusterApi(this.#transport);
    this.state = new StateApi(this.#transport);
    this.health = new HealthApi(this.#transport, this.state, sleep);
  }

  /** Versions of Ray and of its Jobs API. */
  async version(options: CallOptions = {}): Promise<RayVersion> {
    return this.#transport.json({ method: 'GET', path: '/api/version', ...options }, version);
  }

  /** Closes the connections this client made. Calls that are under way fail. */
  async close(): Promise<void> {
    await this.#ownDispatcher?.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

function dashboardUrl(address: string | URL): URL {
  const url = new URL(address);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new TypeError(`The dashboard's address must begin with http: or https:, not ${url.protocol}`);
  }
  if (url.username !== '' || url.password !== '') {
    throw new TypeError("The dashboard's address must not hold a user or password; give a token instead");
  }
  return url;
}
