/** What a live check rents: the cheapest machine with a GPU whose whole check costs no more than was allowed. */
import {
  costOfOffer,
  HitchError,
  type MicroUsd,
  type NetworkInfo,
  type Offer,
  showDollars,
} from '@hitch/contract';
import type { Api } from '@hitch/client-node/src/session.ts';
import { CommandFailure } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';

/** So long it may take to boot, be set up, run a cell and be gone. */
export const CHECK_MS = 40 * 60_000;
const CANDIDATES = 3;

/** @throws HitchError for a network that cannot be checked, or where nobody is logged in. */
export function checkable(networks: readonly NetworkInfo[], id: string): NetworkInfo {
  const network = networks.find(other => other.id === id);
  const ids = networks.filter(({ kind }) => kind === 'network').map(other => other.id);
  const next = ids.length === 0 ? 'No network that rents machines is on.' : `Choose from: ${ids.join(', ')}.`;
  if (network === undefined) {
    throw new HitchError('NOT_FOUND', `There is no network “${id}” here.`, { field: 'network', next });
  }
  const { title, kind, notRentable, login } = network;
  if (kind !== 'network') {
    throw new HitchError(
      'CONFLICT',
      `${title} rents nothing from anybody: there is nothing to check for real.`,
      {
        field: 'network',
        next,
      },
    );
  }
  if (notRentable !== undefined) {
    throw new HitchError('CONFLICT', notRentable, { field: 'network' });
  }
  if (login !== null && login.state !== 'present') {
    throw new HitchError(
      'LOGIN_NEEDED',
      login.state === 'absent'
        ? `You are not logged in to ${title}.`
        : `${title} does not accept your login any more: ${login.problem ?? ''}`.trim(),
      { next: `Log in: hitch networks login ${id}` },
    );
  }
  return network;
}

/** @throws CommandFailure where nothing is on sale, or all of it costs more. */
export async function affordable(
  api: Api,
  { id, title }: NetworkInfo,
  most: MicroUsd,
): Promise<readonly Offer[]> {
  await api.offers.refresh({ provider: id });
  const { offers } = await api.offers.query({
    filter: { providers: [id], rentable: true, markets: ['on_demand'], minGpuCount: 1 },
    sort: { key: 'pricePerHour', descending: false },
    limit: 1_000,
  });
  const costs = offers
    .filter(({ together, stock }) => (together?.min ?? 1) === 1 && stock > 0)
    .map(offer => ({ offer, cost: costOfOffer(offer, CHECK_MS) }))
    .sort((one, other) => Number(one.cost - other.cost));
  const [cheapest] = costs;
  if (cheapest === undefined) {
    const problem = (await api.networks.list()).find(other => other.id === id)?.problem ?? null;
    throw new CommandFailure(
      EXIT.nothingBought,
      'NO_OFFERS',
      `${title} has no machine with a GPU on sale now${problem === null ? '' : `: ${problem.replace(/\.$/, '')}`}; nothing was rented.`,
      { next: 'Try again later.' },
    );
  }
  if (cheapest.cost > most) {
    throw new CommandFailure(
      EXIT.nothingBought,
      'CAP_TOO_LOW',
      `The cheapest machine of ${title} costs up to ${showDollars(cheapest.cost)} for a check, more than --max ${showDollars(most)}; nothing was rented.`,
      { next: `Allow it: hitch live-check ${id} --max ${shortDollars(cheapest.cost)}` },
    );
  }
  return costs
    .filter(({ cost }) => cost <= most)
    .slice(0, CANDIDATES)
    .map(({ offer }) => offer);
}

/** As it is typed, rounded up to the cent, with a tenth more for what must stay below the limit. */
const shortDollars = (amount: MicroUsd): string => {
  const cents = (amount * 11n) / 10n / 10_000n + 1n;
  return `${(cents / 100n).toString()}.${(cents % 100n).toString().padStart(2, '0')}`;
};
