/**
 * All kernels of this node. Exactly one socket goes from here to Jupyter Server for each kernel, whatever clients
 * come and go; what kernels say is journaled, and clients read from there.
 */
import { existsSync, mkdirSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type WebSocket from 'ws';
import {
  cursorSchema,
  HitchError,
  KERNEL_CLOSE,
  KERNEL_PROTOCOL_HITCH,
  KERNEL_PROTOCOL_V1,
  MAX_KERNEL_MESSAGE_BYTES,
} from '@hitch/contract';
import type { Execution, ExecutionQuery, JournalCursor, Kernel } from '@hitch/contract';
import type { Clock, Timer } from '@hitch/platform/src/clock.ts';
import { errorText } from '@hitch/platform/src/log.ts';
import type { Log } from '@hitch/platform/src/log.ts';
import { refuseUpgrade } from '../http/envelope.ts';
import { requestJson } from '../http/upstream.ts';
import type { Upstream } from '../http/upstream.ts';
import { EndedJournals, KERNEL_ID, type EndedLimits } from './ended-journals.ts';
import type { SocketFormat } from './client.ts';
import { KernelFeed, noSuchKernel } from './feed.ts';
import type { JournalLimits } from './journal/journal.ts';

export interface KernelHubOptions {
  /** One folder a kernel is made in it. */
  readonly folder: string;
  readonly upstream: Upstream;
  readonly limits: JournalLimits & EndedLimits;
  readonly clock: Clock;
  readonly log: Log;
  /** Unguessable ids of letters, digits, `-` and `_`. */
  readonly newId: () => string;
  /** A kernel, its state or its clients changed. */
  readonly changed: () => void;
}

/** What the hub knows of a kernel beyond Jupyter Server's own list. */
export interface KernelView {
  readonly id: string;
  readonly state: Kernel['state'];
  readonly clients: number;
  readonly lastActivityMs: number;
  /** Executions that have not ended. */
  readonly unfinished: number;
}

/** By the subprotocol that was agreed on; with none it is Jupyter's first format. */
const FORMATS: Readonly<Record<string, SocketFormat>> = {
  [KERNEL_PROTOCOL_HITCH]: 'hitch',
  [KERNEL_PROTOCOL_V1]: 'v1',
};
const TEND_EVERY_MS = 30_000;
/** Kernels that are gone and whose executions can still be read without touching the disk. */
const MAX_ENDED = 50;

export class KernelHub {
  readonly #options: KernelHubOptions;
  readonly #feeds = new Map<string, KernelFeed>();
  readonly #server = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: MAX_KERNEL_MESSAGE_BYTES,
    skipUTF8Validation: true,
    handleProtocols: offered =>
      offered.has(KERNEL_PROTOCOL_HITCH)
        ? KERNEL_PROTOCOL_HITCH
        : offered.has(KERNEL_PROTOCOL_V1)
          ? KERNEL_PROTOCOL_V1
          : false,
  });
  readonly #journals: EndedJournals;
  #timer: Timer;
  #closed = false;
  /** Jupyter Server has said at least once which kernels there are. */
  #isListed = false;
  #sweeping: Promise<void> = Promise.resolve();

  constructor(options: KernelHubOptions) {
    this.#options = options;
    mkdirSync(options.folder, { recursive: true, mode: 0o700 });
    this.#journals = new EndedJournals(options);
    this.#timer = this.#tendLater();
  }

  #tendLater(): Timer {
    return this.#options.clock.setTimer(() => {
      for (const feed of this.#feeds.values()) {
        feed.tend();
      }
      this.#sweepLater();
      this.#timer = this.#tendLater();
    }, TEND_EVERY_MS);
  }

  /**
   * Takes Jupyter Server's list of kernels: opens those that are new, and asks about those that are missing before
   * it gives them up. Call it after each poll and after each request that makes or ends a kernel.
   */
  async sync(kernels: readonly { readonly id: string }[]): Promise<void> {
    const listed = new Set(kernels.map(({ id }) => id).filter(id => KERNEL_ID.test(id)));
    for (const id of listed) {
      this.#open(id);
    }
    const missing = [...this.#feeds.values()].filter(feed => !feed.ended && !listed.has(feed.kernelId));
    await Promise.all(
      missing.map(async feed => {
        if ((await this.#exists(feed.kernelId)) === false) {
          feed.end();
        }
      }),
    );
    this.#isListed = true;
    if (missing.length > 0) {
      this.#sweepLater();
    }
  }

  /** Somebody asks for a restart. Call it before the request goes on, and {@link restartOver} after its answer. */
  restarting(kernelId: string): void {
    this.#feeds.get(kernelId)?.restarting();
  }

  /** It was done, or refused, or its answer did not come. */
  restartOver(kernelId: string): void {
    this.#feeds.get(kernelId)?.restartOver();
  }

  /** A restart that somebody asked for has been done. Call it before the answer goes to whoever asked. */
  restarted(kernelId: string): void {
    this.#feeds.get(kernelId)?.restarted();
  }

  /** Serves `GET /kernels/<id>/channels`. The caller has checked the bearer. */
  async handleUpgrade(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    kernelId: string,
  ): Promise<void> {
    // An upgrade's socket without a listener would take the process down with it.
    const ignore = (): void => undefined;
    socket.on('error', ignore);
    try {
      const query = new URL(request.url ?? '/', 'http://agent').searchParams;
      const cursor = parseCursor(query.get('cursor'));
      const session = query.get('session_id') ?? this.#options.newId();
      const feed = await this.#find(kernelId);
      this.#server.handleUpgrade(request, socket, head, opened => {
        socket.off('error', ignore);
        this.#accept({ socket: opened, stream: socket }, feed, session, cursor);
      });
    } catch (error) {
      refuseUpgrade(socket, error);
    }
  }

  /** A browser cannot see why an upgrade failed, so a kernel that is gone is said by a close code. */
  #accept(
    opened: { socket: WebSocket; stream: Duplex },
    feed: KernelFeed | null,
    session: string,
    cursor: ReturnType<typeof parseCursor>,
  ): void {
    if (feed === null || feed.ended) {
      opened.socket.on('error', () => undefined);
      opened.socket.close(KERNEL_CLOSE.gone, 'the kernel is gone');
    } else {
      feed.attach(opened, session, cursor, FORMATS[opened.socket.protocol] ?? 'default');
    }
  }

  /** @throws HitchError NOT_FOUND */
  async executions(kernelId: string, query: ExecutionQuery = {}): Promise<Execution[]> {
    return (await this.#known(kernelId)).executions(query);
  }

  /** @throws HitchError NOT_FOUND */
  async cursor(kernelId: string): Promise<JournalCursor> {
    return (await this.#known(kernelId)).cursor();
  }

  /** The kernels that live, as far as their sockets tell. */
  kernels(): KernelView[] {
    return [...this.#feeds.values()]
      .filter(({ ended }) => !ended)
      .map(feed => ({
        id: feed.kernelId,
        state: feed.state,
        clients: feed.clients,
        lastActivityMs: feed.lastActivityMs,
        unfinished: feed.unfinished,
      }));
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#timer.cancel();
    await this.#sweeping;
    await Promise.all([...this.#feeds.values()].map(feed => feed.close()));
    this.#server.close();
  }

  #folderOf(kernelId: string): string {
    return join(this.#options.folder, kernelId);
  }

  #open(kernelId: string, ended = false): KernelFeed {
    const present = this.#feeds.get(kernelId);
    if (present !== undefined) {
      return present;
    }
    const { upstream, limits, clock, log, newId, changed } = this.#options;
    const feed = new KernelFeed({
      kernelId,
      folder: this.#folderOf(kernelId),
      upstream,
      limits,
      clock,
      log,
      newId,
      ended,
      changed,
      gone: () => {
        this.#feeds.get(kernelId)?.end();
      },
    });
    this.#feeds.set(kernelId, feed);
    changed();
    return feed;
  }

  /** The kernel's feed, opened when Jupyter Server knows the kernel; null when there is no such kernel. */
  async #find(kernelId: string): Promise<KernelFeed | null> {
    const feed = this.#feeds.get(kernelId);
    if (feed !== undefined || !KERNEL_ID.test(kernelId)) {
      return feed ?? null;
    }
    const exists = await this.#exists(kernelId);
    if (exists === null) {
      throw new HitchError('UNREACHABLE', 'Jupyter Server on this node does not answer.');
    }
    return exists && !this.#closed ? this.#open(kernelId) : null;
  }

  /** Whether Jupyter Server has the kernel; null when it does not say. */
  async #exists(kernelId: string): Promise<boolean | null> {
    try {
      const { status } = await requestJson(this.#options.upstream, 'GET', `/api/kernels/${kernelId}`);
      return status === 200 ? true : status === 404 ? false : null;
    } catch (error) {
      this.#options.log.debug('Jupyter Server was not reached', { kernelId, error: errorText(error) });
      return null;
    }
  }

  /** A kernel that is or was: also one that ended before this agent started and whose journal is still here. */
  async #known(kernelId: string): Promise<KernelFeed> {
    const feed = this.#feeds.get(kernelId);
    if (feed !== undefined) {
      return feed;
    }
    const exists = KERNEL_ID.test(kernelId) ? await this.#exists(kernelId) : false;
    if (exists === true) {
      return this.#open(kernelId);
    }
    if (!KERNEL_ID.test(kernelId) || !existsSync(this.#folderOf(kernelId))) {
      throw this.#journals.whyGone(kernelId) ?? noSuchKernel(kernelId);
    }
    // Without an answer the kernel is taken to live; its socket finds out.
    return this.#open(kernelId, exists === false);
  }

  /** Only once Jupyter has said which kernels there are: until then a journal may be that of one which lives. */
  async #removeOld(): Promise<void> {
    const ended = [...this.#feeds.values()].filter(feed => feed.ended);
    for (const feed of ended.slice(0, Math.max(0, ended.length - MAX_ENDED))) {
      this.#feeds.delete(feed.kernelId);
      void feed.close();
    }
    if (!this.#isListed || this.#closed) {
      return;
    }
    await this.#journals.sweep(
      kernelId => this.#feeds.get(kernelId)?.ended === false,
      async kernelId => {
        const feed = this.#feeds.get(kernelId);
        this.#feeds.delete(kernelId);
        await feed?.close();
      },
    );
  }

  #sweepLater(): void {
    this.#sweeping = this.#sweeping
      .then(() => this.#removeOld())
      .catch((error: unknown) => {
        this.#options.log.warn('Journals of ended kernels cannot be looked through', {
          error: errorText(error),
        });
      });
  }
}

function parseCursor(text: string | null): ReturnType<typeof cursorSchema.parse> | null {
  if (text === null || text === '') {
    return null;
  }
  const parsed = cursorSchema.safeParse(text);
  if (!parsed.success) {
    throw new HitchError('BAD_INPUT', 'The cursor is not of the form <epoch>:<seq>.', { field: 'cursor' });
  }
  return parsed.data;
}
