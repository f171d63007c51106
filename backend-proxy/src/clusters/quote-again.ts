/**
 * What is asked for when a cluster is rented once more: what was ordered for it, on the machines that it had. What cannot
 * be had in the same way is said, sentence by sentence, before anybody says yes.
 */
import {
  type Caps,
  HitchError,
  type LimitChange,
  type LockedEnvironment,
  type QuoteRequest,
  quoteRequestSchema,
  shownName,
  type Running,
  type WishChange,
  wishesIn,
} from '@hitch/contract';
import { type ClusterState, isLost, isUnfinished, presentNodes } from '../ledger/cluster-state.ts';
import type { ClusterRecord, NodeRecord } from '../ledger/records.ts';
import { driverNeeds } from '../spend/drivers.ts';
import { committed, possibleRate, spentOfCap } from '../spend/budget.ts';
import type { RentedBefore } from '../spend/quotes.ts';
import { chooseMachine, type MachineParts, triedOffers } from './machine-again.ts';

export interface AgainParts extends MachineParts {
  /** Null: it is not on this computer. */
  readonly lockOf: (id: string) => LockedEnvironment | null;
  readonly nowMs: number;
  /** Of these names, those that are stored. */
  readonly storedSecrets: (names: readonly string[]) => Promise<ReadonlySet<string>>;
}

export interface AgainOptions extends LimitChange, WishChange {
  /** Passes over the offers that were tried in its last run. */
  readonly skipTried: boolean;
  /** The folder that the client serves which asks, where it sends files. */
  readonly sendsFrom?: string;
  /** Another environment; left out: as it had. */
  readonly environment?: string | null;
  /** No machine may cost more than this an hour, where that was agreed to before; left out: today's price is asked about. */
  readonly maxNodePricePerHourMicroUsd?: string;
}

export interface AskedAgain {
  readonly request: QuoteRequest;
  readonly before: RentedBefore;
}

/** @throws HitchError CONFLICT, BAD_INPUT, NO_OFFERS or NOT_FOUND. */
export async function quoteAgain(
  parts: AgainParts,
  state: ClusterState,
  options: AgainOptions,
): Promise<AskedAgain> {
  const lost = nodesToRent(state);
  const replaces = state.cluster.desired === 'up';
  if (replaces) {
    checkNoLimits(state, options);
  }
  const order = {
    ...orderOf(parts, state),
    ...wishesIn(options),
    ...(options.environment === undefined ? {} : { environment: options.environment }),
  };
  const limits = replaces ? limitsOf(state.cluster.caps) : orderedLimits(parts, state, order, options);
  const { secrets, changes: secretChanges } = await secretsThere(
    parts,
    replaces ? state.cluster.secrets : order.secrets,
  );
  const sending = replaces ? { send: [], changes: [] } : sendAgain(order, options);
  const tried = options.skipTried ? triedOffers(state) : [];
  const lock = order.environment === null ? null : parts.lockOf(order.environment);
  const machine = chooseMachine({ ...parts, needs: driverNeeds(lock) }, state, {
    order: replaces ? { ...order, save: state.cluster.save } : order,
    nodes: lost.length,
    tried,
  });
  return {
    request: {
      ...order,
      ...limits,
      secrets: [...secrets],
      nodes: lost.length,
      offerIds: [...machine.offerIds],
      filter: machine.filter,
      // Today's price is said before the yes; the one that was accepted then is no limit to it.
      maxNodePricePerHourMicroUsd: options.maxNodePricePerHourMicroUsd ?? null,
      send: [...sending.send],
      ...(replaces ? { engine: null, template: null, save: state.cluster.save } : {}),
    },
    before: {
      clusterId: state.cluster.id,
      isAlike: machine.isAlike,
      changes: [
        ...machine.changes,
        ...(replaces ? [] : unknownStop(parts, state, options)),
        ...secretChanges,
        ...sending.changes,
        ...installedAgain(state, lost, order.environment),
      ],
      // A secret that is not there now is given again once it is.
      order: replaces ? null : { ...order, ...limits },
      passedOver: tried,
      supplier: machine.supplier,
      committedMicroUsd: replaces ? committed(state, parts.nowMs) : 0n,
      running: replaces ? runningOf(state, parts.nowMs) : null,
    },
  };
}

/** The same path is another file in another folder: only the client that serves the one of the order sends again. */
function sendAgain(
  { send, sendFrom = '' }: QuoteRequest,
  { sendsFrom }: AgainOptions,
): { readonly send: readonly string[]; readonly changes: readonly string[] } {
  if (send.length === 0 || (sendFrom !== '' && sendFrom === sendsFrom)) {
    return { send, changes: [] };
  }
  const from = sendFrom === '' ? 'the folder they came from' : shownName(sendFrom);
  const names = send.map(shownName).join(', ');
  return {
    send: [],
    changes: [
      `These files are not copied again: ${names}. Only JupyterLab can copy them, where it serves ${from}.`,
    ],
  };
}

/**
 * What the earlier machines said that people had added to them. They are strangers, and what they say is installed on others:
 * whoever says yes sees it by name.
 */
function installedAgain(
  { cluster: { desired, environment } }: ClusterState,
  nodes: readonly NodeRecord[],
  id: string | null,
): readonly string[] {
  const isTheSame = desired === 'up' || id === environment.id;
  const added = environment.added.filter(({ node }) => nodes.some(({ index }) => index === node));
  const names = [...new Set(added.map(({ name, version }) => `${name} ${version}`))];
  return isTheSame && names.length > 0
    ? [`Packages that its machines had beside its own are installed again: ${names.join(', ')}.`]
    : [];
}

const runningOf = (state: ClusterState, nowMs: number): Running => ({
  spentMicroUsd: spentOfCap(state, nowMs),
  ratePerHourMicroUsd: possibleRate(state, nowMs),
});

/** @throws HitchError BAD_INPUT: lost nodes are replaced inside the limits that hold, by machines as they were ordered. */
function checkNoLimits({ cluster: { name } }: ClusterState, options: AgainOptions): void {
  const given = LIMITS.find(limit => options[limit] !== undefined);
  const wish = WISHES.find(each => options[each] !== undefined);
  if (wish !== undefined) {
    throw new HitchError(
      'BAD_INPUT',
      `${name} is running: its lost machines are replaced as they were ordered.`,
      {
        field: wish,
        next: 'Leave it out, or stop the cluster first.',
      },
    );
  }
  if (given !== undefined) {
    throw new HitchError('BAD_INPUT', `${name} is running: its limits cannot be changed here.`, {
      field: given,
      next: `Leave them out, and change them with “hitch extend ${name}”.`,
    });
  }
}

const WISHES = [
  'diskGiB',
  'image',
  'bidPerHourMicroUsd',
  'termMs',
] as const satisfies readonly (keyof WishChange)[];
const LIMITS = ['capMicroUsd', 'stopAtMs', 'idleMs'] as const satisfies readonly (keyof LimitChange)[];

/** The nodes that get other machines: all of a stopped cluster's, the lost ones of one that runs. */
function nodesToRent(state: ClusterState): readonly NodeRecord[] {
  const { cluster, attempts } = state;
  const nodes = presentNodes(state);
  if (cluster.desired === 'stopped') {
    if (attempts.some(isUnfinished)) {
      throw new HitchError('CONFLICT', `${cluster.name} is not confirmed gone yet.`, {
        next: 'Wait until it is stopped, then start it again.',
      });
    }
    return nodes;
  }
  const lost = nodes.filter(isLost);
  if (lost.length === 0) {
    throw new HitchError('CONFLICT', `${cluster.name} is running; no node of it is lost.`, {
      next: 'Stop it first, or rent another cluster.',
    });
  }
  const alone = attempts.find(
    attempt =>
      attempt.state === 'owned' &&
      attempt.offer.together?.replaceOne === false &&
      lost.some(({ attemptId }) => attemptId === attempt.id),
  );
  if (alone !== undefined) {
    throw new HitchError(
      'CONFLICT',
      `The lost machine of ${cluster.name} was rented together with the others, and cannot be replaced alone.`,
      { next: 'Go on without it, or stop the cluster and start it again.' },
    );
  }
  return lost;
}

/** What was ordered. An older Hitch did not write it down: then it is what the cluster had. */
function orderOf({ quote }: AgainParts, state: ClusterState): QuoteRequest {
  const { cluster } = state;
  return (
    cluster.order?.request ??
    quoteRequestSchema.parse({
      template: cluster.template,
      engine: cluster.engine,
      nodes: presentNodes(state).length,
      ...limitsOf(quote?.quote.caps ?? cluster.caps),
      stopAtMs: null,
      save: cluster.save,
      secrets: cluster.secrets,
    })
  );
}

type Limits = Pick<QuoteRequest, 'capMicroUsd' | 'stopAtMs' | 'idleMs'>;

const limitsOf = ({ totalMicroUsd, stopAtMs, idleMs }: Caps): Limits => ({
  capMicroUsd: totalMicroUsd,
  stopAtMs,
  idleMs: idleMs ?? 0,
});

/** How long it was to run from its order on; null: without end, `undefined`: an older Hitch did not write it down. */
function orderedLength({ quote }: AgainParts, { order }: ClusterRecord): number | null | undefined {
  if (order !== null) {
    return order.request.stopAtMs === null ? null : order.request.stopAtMs - order.atMs;
  }
  if (quote === undefined || quote.keepsCaps) {
    return undefined;
  }
  const { caps, createdAtMs } = quote.quote;
  return caps.stopAtMs === null ? null : caps.stopAtMs - createdAtMs;
}

function unknownStop(
  parts: AgainParts,
  { cluster }: ClusterState,
  { stopAtMs }: LimitChange,
): readonly string[] {
  const isUnknown = stopAtMs === undefined && orderedLength(parts, cluster) === undefined;
  return isUnknown && cluster.caps.stopAtMs !== null
    ? ['Its earlier running time is not known: it has no stop time now.']
    : [];
}

/** The limits as ordered, and the same length of time from now on. */
function orderedLimits(
  parts: AgainParts,
  { cluster }: ClusterState,
  order: QuoteRequest,
  { capMicroUsd, stopAtMs, idleMs }: LimitChange,
): Limits {
  const { nowMs } = parts;
  const lastsMs = orderedLength(parts, cluster) ?? null;
  return {
    capMicroUsd: capMicroUsd ?? order.capMicroUsd,
    stopAtMs: stopAtMs !== undefined ? stopAtMs : lastsMs === null ? null : nowMs + lastsMs,
    idleMs: idleMs === undefined ? order.idleMs : (idleMs ?? 0),
  };
}

async function secretsThere(
  { storedSecrets }: AgainParts,
  names: readonly string[],
): Promise<{ secrets: readonly string[]; changes: readonly string[] }> {
  const stored = await storedSecrets(names);
  return {
    secrets: names.filter(name => stored.has(name)),
    changes: names
      .filter(name => !stored.has(name))
      .map(name => `The secret ${name} is no longer stored: the cluster does not get it.`),
  };
}
