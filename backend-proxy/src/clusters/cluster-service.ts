/** The cluster side's answer to the API: checks, one change, and the record as it stands then. */
import { rm } from 'node:fs/promises';
import {
  type Cluster,
  type ClusterEvent,
  type ClusterId,
  clusterNameSchema,
  cutText,
  HitchError,
  type LockedEnvironment,
  type NodeId,
  type Quote,
  type QuoteId,
  type QuoteRequest,
  type Usage,
  type WatchedEvent,
} from '@hitch/contract';
import type { AgentLink } from '../access/agent-link.ts';
import { type ClusterState, isUnfinished, presentNodes } from '../ledger/cluster-state.ts';
import { type EventLog, toEvent } from '../ledger/event-log.ts';
import type { Store } from '../ledger/store.ts';
import { errorText } from '@hitch/platform/src/log.ts';
import { rateAt, totalCost } from '../spend/cost.ts';
import { freshName } from '../spend/names.ts';
import type { OfferSource } from '../spend/fitting-offers.ts';
import { checkStopTime, type QuoteParts } from '../spend/quotes.ts';
import { money, usageOf } from '../spend/usage.ts';
import { hostOf } from './addresses.ts';
import { adoptMachine } from './adopt-machine.ts';
import { AlreadyUsed, changeLimits, checkOnlyLess, placeOrder, startAgain } from './commands.ts';
import { beginStop } from './transitions.ts';
import type { Parts } from './parts.ts';
import { askForEnvironment, checkFits } from './environment.ts';
import { ownListOf } from './save.ts';
import { checkPaths, saveNow } from './save-now.ts';
import { quoteAgain } from './quote-again.ts';
import { quoteOf } from './quoting.ts';
import type { ClusterService } from './service.ts';
import { toCluster } from './view.ts';

export interface ServiceParts {
  readonly parts: Parts;
  readonly store: Store;
  readonly events: EventLog;
  readonly offers: OfferSource;
}

export function createClusterService({ parts, store, events, offers }: ServiceParts): ClusterService {
  const { ledger, clock, ids } = parts;

  const stateOf = (id: ClusterId): ClusterState => {
    const state = ledger.state(id);
    if (state === undefined || state.cluster.removedAtMs !== null) {
      throw notThere(id);
    }
    return state;
  };
  const show = (state: ClusterState): Cluster =>
    toCluster(state, {
      signalsOf: nodeId => parts.live.get(nodeId)?.signals ?? null,
      factsOf: nodeId => parts.links.get(nodeId)?.facts,
      titleOf: provider => parts.providers.get(provider)?.title ?? provider,
      savingOf: id => parts.saves.saving(id),
      lockOf: id => parts.locks.get(id),
      environmentOf: id => parts.live.get(id)?.environment ?? null,
      changeOf: id => ({
        message: parts.environmentChanges.message(id),
        said: parts.environmentChanges.said(id),
      }),
      nowMs: clock.now(),
    });
  const get = (id: ClusterId): Cluster => show(stateOf(id));
  const change = async (id: ClusterId, apply: Parameters<typeof ledger.change>[1]): Promise<Cluster> => {
    stateOf(id);
    await ledger.change(id, tx => {
      if (tx.cluster.removedAtMs !== null) {
        // It was removed in the moment before.
        throw notThere(id);
      }
      return apply(tx);
    });
    return get(id);
  };

  const lockOf = (id: string): LockedEnvironment | null => parts.locks.get(id);
  const quoteParts: QuoteParts = {
    clock,
    ids,
    offers,
    networkOf: provider => parts.providers.get(provider) ?? { title: provider, verifiedLive: false },
    vacancyOf: provider => parts.providers.get(provider)?.vacancy?.() ?? null,
    busy: parts.busy,
    lockOf,
  };

  return {
    async quote(request: QuoteRequest): Promise<Quote> {
      checkNetworks(parts, request.filter.providers ?? []);
      const record = await quoteOf(parts, quoteParts, request);
      await checkSecrets(parts, record.quote.secrets);
      await ledger.keepQuote(record);
      return record.quote;
    },

    async quoteAgain(id, options): Promise<Quote> {
      const state = stateOf(id);
      const storedSecrets = async (names: readonly string[]) =>
        new Set(names.length === 0 ? [] : Object.keys(await parts.secrets(names)));
      const quote = ledger.quote(state.cluster.quoteId);
      const { request, before } = await quoteAgain(
        { ...quoteParts, lockOf, nowMs: clock.now(), quote, storedSecrets },
        state,
        options,
      );
      const record = await quoteOf(parts, quoteParts, request, before);
      await ledger.keepQuote(record);
      return record.quote;
    },

    quoteById(id: QuoteId): Quote {
      const record = ledger.quote(id);
      if (record === undefined) {
        throw new HitchError('NOT_FOUND', `There is no quote ${id}.`, { next: 'Ask for a quote first.' });
      }
      return record.quote;
    },

    async adopt(network, { name, ...adoption }): Promise<Cluster> {
      checkName(name);
      checkStopTime(adoption.stopAtMs, clock.now());
      const taken = new Set([...ledger.states()].map(({ cluster }) => cluster.name));
      const own = name ?? freshName(parts.random, other => taken.has(other));
      return get(await adoptMachine(parts, network, { ...adoption, name: own }));
    },

    async create({ quoteId, name }): Promise<Cluster> {
      checkName(name);
      const id = ids.next('clu');
      try {
        await ledger.change(id, tx =>
          placeOrder(ids, tx, {
            id,
            quoteId,
            name: name ?? freshName(parts.random, taken => tx.nameTaken(taken)),
          }),
        );
        return get(id);
      } catch (error) {
        if (!(error instanceof AlreadyUsed)) {
          throw error;
        }
        const state = ledger.state(error.by);
        const again =
          state?.cluster.quoteId === quoteId &&
          state.cluster.removedAtMs === null &&
          (name === undefined || name === state.cluster.name);
        if (state === undefined || !again) {
          throw quoteUsed();
        }
        return show(state);
      }
    },

    list: () => ledger.listed().map(show),
    get,
    idOf: name => ledger.clusterByName(name),

    async stop(id, { skipSave, savePaths = [] }): Promise<Cluster> {
      checkPaths(savePaths);
      const stopping = await change(id, tx => {
        const { save, saveDone } = tx.cluster;
        const more = savePaths.filter(path => !save.paths.includes(path));
        if (more.length > 0 && saveDone) {
          throw new HitchError('CONFLICT', `${tx.cluster.name} is being deleted: nothing more can be saved.`);
        }
        if (more.length > 0) {
          tx.setCluster({ save: { ...save, paths: [...save.paths, ...more] } });
        }
        beginStop(tx, 'user', { skipSave });
        if (skipSave && !tx.cluster.skipSave) {
          tx.setCluster({ skipSave: true });
        }
      });
      if (skipSave) {
        parts.saves.endSaves(id, 'The save was cancelled.');
      }
      return stopping;
    },

    async startAgain(id, quoteId): Promise<Cluster> {
      try {
        return await change(id, tx => startAgain(ids, tx, quoteId));
      } catch (error) {
        if (!(error instanceof AlreadyUsed)) {
          throw error;
        }
        if (error.by !== id || stateOf(id).cluster.quoteId !== quoteId) {
          throw quoteUsed();
        }
        return get(id);
      }
    },

    extend: (id, limits, options = { onlyLess: false }) =>
      change(id, tx => {
        if (options.onlyLess) {
          checkOnlyLess(tx.cluster, limits);
        }
        changeLimits(tx, limits);
      }),
    async changeEnvironment(id, environment): Promise<Cluster> {
      const state = stateOf(id);
      const rented = environment ?? ledger.quote(state.cluster.quoteId)?.quote.environment ?? null;
      if (rented !== null) {
        const lock = parts.locks.get(rented);
        if (lock === null) {
          throw new HitchError(
            'NOT_FOUND',
            `The lock ${rented} of the environment is not on this computer.`,
            {
              field: 'environment',
              next: 'Lock its file again.',
            },
          );
        }
        checkFits(lock, state.cluster.engine);
      }
      return change(id, tx => askForEnvironment(tx, rented));
    },

    async keepEnvironment(id): Promise<Cluster> {
      stateOf(id);
      parts.environmentChanges.cancel(id);
      return change(id, tx => {
        const { environment } = tx.cluster;
        if (environment.change !== null) {
          tx.setCluster({ environment: { ...environment, change: null } });
        }
      });
    },

    save: async (id, paths) => saveNow(parts, stateOf(id), paths),

    async remove(id): Promise<void> {
      const { cluster } = stateOf(id);
      await ledger.change(id, tx => {
        if (tx.cluster.desired !== 'stopped' || tx.attempts.some(isUnfinished)) {
          throw new HitchError('CONFLICT', `${cluster.name} is ${tx.cluster.phase}: ${whyKept(tx.state)}`, {
            next: tx.cluster.desired === 'up' ? 'Stop it first.' : 'Remove it once that is confirmed.',
          });
        }
        tx.remove();
      });
      await rm(ownListOf(parts.home, cluster), { force: true });
    },

    async events(id, afterSeq, limit): Promise<readonly ClusterEvent[]> {
      const last = stateOf(id).cluster.lastEventSeq;
      const stored = await store.eventsOf(id, afterSeq, limit).catch((error: unknown) => {
        if (ledger.keeper.refuses === null) {
          throw error;
        }
        return [];
      });
      const from = stored.at(-1)?.seq ?? afterSeq;
      return [...stored, ...ledger.keeper.owedEvents(id, from)]
        .filter(({ seq }) => seq <= last)
        .slice(0, limit)
        .map(toEvent);
    },

    cursor: () => events.cursor(),
    watch: (cursor, signal): AsyncIterable<WatchedEvent> => events.watch(cursor, signal),
    usage: (id): Usage => usageOf(stateOf(id), clock.now()),

    async usageTotal(fromMs, toMs) {
      const nowMs = clock.now();
      const until = Math.min(toMs, nowMs);
      const segments = [...ledger.states()].flatMap(state => state.segments);
      const costMicroUsd = totalCost(segments, until, fromMs) + (await store.forgottenCost(fromMs, toMs));
      return { costMicroUsd: money(costMicroUsd), ratePerHourMicroUsd: money(rateAt(segments, nowMs)) };
    },

    logs: (id, query) => readLog(parts, stateOf(id), query),

    nodeLink(id, nodeIndex): AgentLink | null {
      const state = ledger.state(id);
      const node =
        state === undefined ? undefined : presentNodes(state).find(({ index }) => index === nodeIndex);
      return node === undefined ? null : (parts.links.get(node.id)?.link ?? null);
    },
  };
}

function notThere(id: ClusterId): HitchError {
  return new HitchError('NOT_FOUND', `There is no cluster ${id}.`, { next: 'Look at the list of clusters.' });
}

function quoteUsed(): HitchError {
  return new HitchError('QUOTE_USED', 'This quote was used already; each rental needs its own.', {
    next: 'Ask for another quote.',
  });
}

function checkName(name: string | undefined): void {
  const parsed = clusterNameSchema.optional().safeParse(name);
  if (!parsed.success) {
    const why = parsed.error.issues[0]?.message ?? 'is not valid';
    throw new HitchError('BAD_INPUT', `The name "${cutText(name ?? '', 60)}" ${why}.`, { field: 'name' });
  }
}

/** A misspelt network would only ever say that nothing fits. */
function checkNetworks({ providers }: Pick<Parts, 'providers'>, named: readonly string[]): void {
  const unknown = named.find(id => !providers.has(id));
  if (unknown !== undefined) {
    throw new HitchError('BAD_INPUT', `There is no network "${unknown}" here.`, {
      field: 'filter.providers',
      next: `Choose from: ${[...providers.keys()].join(', ')}.`,
    });
  }
}

async function checkSecrets(parts: Parts, names: readonly string[]): Promise<void> {
  if (names.length === 0) {
    return;
  }
  const known = await parts.secrets(names);
  const missing = names.find(name => known[name] === undefined);
  if (missing !== undefined) {
    throw new HitchError('NOT_FOUND', `There is no stored secret named ${missing}.`, {
      field: 'secrets',
      next: `Store it first, or leave it out.`,
    });
  }
}

function whyKept({ cluster, attempts }: ClusterState): string {
  const left = attempts.filter(isUnfinished).length;
  return cluster.desired === 'up' || left === 0
    ? 'only a stopped cluster can be removed from the list.'
    : `${left.toString()} of its purchases are not confirmed gone.`;
}

async function readLog(
  parts: Parts,
  state: ClusterState,
  query: { nodeId?: NodeId; name: 'agent' | 'jupyter' | 'ray' | 'bootstrap'; bytes: number },
): Promise<string> {
  const nodes = presentNodes(state);
  const node = query.nodeId === undefined ? nodes[0] : nodes.find(({ id }) => id === query.nodeId);
  if (node === undefined) {
    throw new HitchError('NOT_FOUND', `${state.cluster.name} has no such node.`, { field: 'nodeId' });
  }
  const attempt = state.attempts.find(({ id }) => id === node.attemptId);
  const open = parts.links.get(node.id)?.host;
  const owned = attempt?.state === 'owned' && attempt.instanceId !== null ? attempt : null;
  try {
    const host = open ?? (owned === null ? null : await hostOf(parts, { attempt: owned, node }));
    if (host === null) {
      return '';
    }
    return await parts.calls.limited('host', signal => host.readLog(query.name, query.bytes, signal));
  } catch (cause) {
    throw new HitchError('UNREACHABLE', `The logs cannot be read now: ${errorText(cause)}`, { cause });
  }
}
