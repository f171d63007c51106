/**
 * What pages ask a person for: to spend, to log in to a network, to add or remove a machine. A request says all that it would do and is frozen; the yes itself does it, once. So no
 * approval lies about that somebody else could use, and nothing can be put in its place after the yes.
 *
 * Requests live in memory: one that a daemon did not outlive is asked for again.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import {
  type Approval,
  type ApprovalAction,
  type ApprovalId,
  type ApprovalState,
  type Caps,
  type Cluster,
  HitchError,
  isApprovalOver,
  isOver,
} from '@hitch/contract';
import type { ClusterService } from '../clusters/service.ts';
import type { JobQuotes } from '../jobs/rented/job-quotes.ts';
import type { Clock } from '@hitch/platform/src/clock.ts';
import { errorText, type Log } from '@hitch/platform/src/log.ts';
import type { Ids } from '@hitch/platform/src/random.ts';
import { QUOTE_VALID_MS } from '../spend/limits.ts';
import type { Networks } from '../networks/networks.ts';
import { adoptionIn, adoptionWords } from './adoption-words.ts';
import { limitsIn, extendWords, isSameCaps, rentWords, type ApprovalWords } from './approval-words.ts';
import { type ClusterAction, doOnNetwork, isOnNetwork, networkWords } from './network-approvals.ts';

/** A person answers one after the other; a script that asks for more is told so. */
export const MOST_WAITING = 20;
const MOST_KEPT = 200;

export interface ApprovalsDeps {
  readonly clusters: Pick<
    ClusterService,
    'create' | 'adopt' | 'startAgain' | 'extend' | 'get' | 'idOf' | 'quoteById'
  >;
  readonly jobs: Pick<JobQuotes, 'get' | 'approve' | 'discard'>;
  readonly networks: Pick<Networks, 'list' | 'login' | 'logout' | 'titleOf' | 'checkLogin' | 'machines'>;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  /** Of the daemon, where its window is. */
  readonly origin: () => string;
}

interface Entry {
  approval: Approval;
  /** Null once it is over: what was typed into a login lies about no longer than it is needed. */
  action: ApprovalAction | null;
  /** Stands in the daemon's window and nowhere else. */
  readonly secret: string;
  /** The limits that were shown; null where none are moved. */
  readonly caps: Caps | null;
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

export class Approvals {
  readonly #deps: ApprovalsDeps;
  /** The oldest first. */
  readonly #entries = new Map<ApprovalId, Entry>();

  constructor(deps: ApprovalsDeps) {
    this.#deps = deps;
  }

  /** @throws HitchError what the action would be refused for already, or CONFLICT when too many wait. */
  ask(action: ApprovalAction): Approval {
    const { clock, ids, origin } = this.#deps;
    const waiting = this.list();
    if (waiting.length >= MOST_WAITING) {
      throw new HitchError(
        'CONFLICT',
        `${waiting.length.toString()} requests are waiting for approval already.`,
        {
          next: 'Answer them with “hitch approve”, or wait ten minutes until they expire.',
        },
      );
    }
    const { words, expiresAtMs, caps } = this.#read(action);
    const id = ids.next('apr');
    const approval: Approval = {
      id,
      code: this.#freshCode(waiting),
      state: 'waiting',
      lines: [...words.lines],
      yes: words.yes,
      askedAtMs: clock.now(),
      expiresAtMs,
      windowUrl: `${origin()}/approvals/${id}`,
      clusterId: null,
      taskId: null,
      problem: null,
    };
    this.#entries.set(id, { approval, action, secret: ids.secret(), caps });
    this.#forgetOldest();
    return approval;
  }

  /** Those that wait, the oldest first. */
  list(): Approval[] {
    return [...this.#entries.values()]
      .map(entry => this.#current(entry))
      .filter(({ state }) => state === 'waiting');
  }

  /** @throws HitchError NOT_FOUND */
  get(id: ApprovalId): Approval {
    return this.#current(this.#entry(id));
  }

  /** Nobody waits for it any more; one that is over stays as it is. @throws HitchError NOT_FOUND */
  withdraw(id: ApprovalId): Approval {
    const entry = this.#entry(id);
    return this.#current(entry).state === 'waiting' ? this.#drop(entry, 'withdrawn') : entry.approval;
  }

  /** The secret that makes an answer from the window one. @throws HitchError NOT_FOUND */
  secretOf(id: ApprovalId): string {
    return this.#entry(id).secret;
  }

  /** Of one document: scripts and styles without it do not count there. */
  nonce(): string {
    return this.#deps.ids.secret(16);
  }

  /** @throws HitchError NOT_FOUND, or UNAUTHORIZED for a secret that is not this request's. */
  checkSecret(id: ApprovalId, secret: string): void {
    if (!timingSafeEqual(digest(secret), digest(this.#entry(id).secret))) {
      throw new HitchError(
        'UNAUTHORIZED',
        'This answer does not come from the window that was opened for it.',
      );
    }
  }

  /**
   * A person's answer; resolves once what was asked for is done, or has failed.
   * @throws HitchError NOT_FOUND, or CONFLICT when it waits no more.
   */
  async answer(id: ApprovalId, yes: boolean): Promise<Approval> {
    const entry = this.#entry(id);
    const { state } = this.#current(entry);
    if (state !== 'waiting') {
      throw new HitchError('CONFLICT', WAITS_NO_MORE[state], { next: 'Ask for it again.' });
    }
    if (!yes) {
      return this.#drop(entry, 'declined');
    }
    // Before the first await: of two answers only one is an answer.
    become(entry, { state: 'doing' });
    const kind = entry.action?.kind ?? '';
    try {
      const done = await this.#do(entry);
      this.#deps.log.info('A person approved what a page asked for', {
        kind,
        ...(done.clusterId === null ? {} : { cluster: done.clusterId }),
      });
      return become(entry, { state: 'done', ...done });
    } catch (error) {
      this.#deps.log.warn('What was approved could not be done', { kind, error: errorText(error) });
      const shown =
        error instanceof HitchError
          ? error
          : new HitchError('INTERNAL', 'Hitch failed to do this; the daemon’s log has the details.');
      return become(entry, { state: 'failed', problem: shown.toEnvelope() });
    }
  }

  /** What was prepared for a job goes at once: its name is free for the next try. */
  #drop(entry: Entry, state: 'withdrawn' | 'declined'): Approval {
    const { action } = entry;
    if (action?.kind === 'job') {
      this.#deps.jobs
        .discard(action.jobId)
        .catch((error: unknown) =>
          this.#deps.log.warn('A job that was declined left files', { error: errorText(error) }),
        );
    }
    return become(entry, { state });
  }

  async #do({ action, caps }: Entry): Promise<Pick<Approval, 'clusterId' | 'jobId' | 'taskId'>> {
    if (action === null) {
      throw new HitchError('CONFLICT', 'This request is over.', { next: 'Ask for it again.' });
    }
    if (isOnNetwork(action)) {
      const task = await doOnNetwork(this.#deps.networks, action);
      return { clusterId: null, taskId: task?.id ?? null };
    }
    if (action.kind === 'job') {
      await this.#deps.jobs.approve(action.jobId);
      return { clusterId: null, taskId: null, jobId: action.jobId };
    }
    return { clusterId: (await this.#doToCluster(action, caps)).id, taskId: null };
  }

  async #doToCluster(action: ClusterAction, caps: Caps | null): Promise<Cluster> {
    const { clusters } = this.#deps;
    switch (action.kind) {
      case 'rent':
        return clusters.create({
          quoteId: action.quoteId,
          ...(action.name === undefined ? {} : { name: action.name }),
        });
      case 'adopt':
        return clusters.adopt(action.provider, adoptionIn(action));
      case 'start-again':
        return clusters.startAgain(action.clusterId, action.quoteId);
      case 'extend': {
        const now = clusters.get(action.clusterId);
        if (caps === null || !isSameCaps(now.caps, caps)) {
          throw new HitchError('CONFLICT', `The limits of ${now.name} were changed since this was shown.`, {
            next: 'Look at them, and extend it again.',
          });
        }
        return clusters.extend(action.clusterId, limitsIn(action));
      }
    }
  }

  /** All that the action would do, in words; what cannot work is refused before a person is asked. */
  #read(action: ApprovalAction): { words: ApprovalWords; expiresAtMs: number; caps: Caps | null } {
    const { clusters, clock, networks } = this.#deps;
    const nowMs = clock.now();
    if (isOnNetwork(action)) {
      const words = networkWords(networks, action);
      return { words, expiresAtMs: nowMs + QUOTE_VALID_MS, caps: null };
    }
    if (action.kind === 'job') {
      const { lines, yes, expiresAtMs } = this.#deps.jobs.get(action.jobId);
      return { words: { lines, yes }, expiresAtMs, caps: null };
    }
    if (action.kind === 'adopt') {
      const words = adoptionWords(networks.list(), action, nowMs);
      return { words, expiresAtMs: nowMs + QUOTE_VALID_MS, caps: null };
    }
    if (action.kind === 'extend') {
      const cluster = clusters.get(action.clusterId);
      return {
        words: extendWords(cluster, limitsIn(action), nowMs),
        expiresAtMs: nowMs + QUOTE_VALID_MS,
        caps: cluster.caps,
      };
    }
    const quote = clusters.quoteById(action.quoteId);
    if (nowMs >= quote.expiresAtMs) {
      throw new HitchError(
        'QUOTE_EXPIRED',
        'The quote is more than ten minutes old; prices may have moved.',
        {
          next: 'Ask for another one.',
        },
      );
    }
    const cluster = action.kind === 'start-again' ? clusters.get(action.clusterId) : null;
    if (cluster !== null && !isOver(cluster) && quote.again === null) {
      throw new HitchError('CONFLICT', `The quote is not for the lost nodes of ${cluster.name}.`, {
        next: 'Ask for one that is: POST /clusters/{clusterId}/quotes.',
      });
    }
    const name = action.kind === 'rent' ? action.name : undefined;
    if (name !== undefined && clusters.idOf(name) !== undefined) {
      throw new HitchError('NAME_TAKEN', `There is a cluster named ${name} already.`, {
        field: 'name',
        next: 'Choose another name, or remove that one from the list.',
      });
    }
    return { words: rentWords(quote, name, cluster), expiresAtMs: quote.expiresAtMs, caps: null };
  }

  #entry(id: ApprovalId): Entry {
    const entry = this.#entries.get(id);
    if (entry === undefined) {
      throw new HitchError('NOT_FOUND', 'There is no such request, or the daemon was restarted since.', {
        next: 'Ask for it again.',
      });
    }
    return entry;
  }

  #current(entry: Entry): Approval {
    const { state, expiresAtMs } = entry.approval;
    return state === 'waiting' && this.#deps.clock.now() >= expiresAtMs
      ? become(entry, { state: 'expired' })
      : entry.approval;
  }

  #freshCode(waiting: readonly Approval[]): string {
    for (;;) {
      const code = this.#deps.ids.secret(2);
      if (!waiting.some(other => other.code === code)) {
        return code;
      }
    }
  }

  /** Those that are over are kept for who asks how they ended, so many of them. */
  #forgetOldest(): void {
    for (const [id, entry] of this.#entries) {
      if (this.#entries.size <= MOST_KEPT) {
        return;
      }
      if (isApprovalOver(this.#current(entry))) {
        this.#entries.delete(id);
      }
    }
  }
}

const WAITS_NO_MORE: Readonly<Record<Exclude<ApprovalState, 'waiting'>, string>> = {
  doing: 'This was approved already; it is being done.',
  done: 'This was approved already, and is done.',
  failed: 'This was approved already, and could not be done.',
  declined: 'This was declined.',
  withdrawn: 'This request was withdrawn.',
  expired: 'Nobody answered this in time; the price may have moved.',
};

function become(entry: Entry, change: Partial<Approval>): Approval {
  entry.approval = { ...entry.approval, ...change };
  if (isApprovalOver(entry.approval)) {
    entry.action = null;
  }
  return entry.approval;
}
