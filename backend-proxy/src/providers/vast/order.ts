/** What Vast.ai is asked to rent. */
import { parseMicroUsd } from '@hitch/contract';
import { type CreateRequest, type LetIn, ProviderError } from '../provider.ts';
import { checkTerms } from '../plain-terms.ts';
import { MACHINE } from './offers.ts';

/** The network's own image, of the version that the host's driver runs: CUDA, Python and sshd are in it. */
const DEFAULT_IMAGE = 'vastai/base-image:@vastai-automatic-tag';
/** "direc" is how it is written. Source: `vastai` 1.9.1, `api/instances.py`, `resolve_runtype`. */
const RUNTYPE = 'ssh_direc ssh_proxy';
/** What a bid may be, in $ an hour. Source: `x-input-validation` in the API reference. */
const BIDS_MICRO_USD = { least: 1_000n, most: 128_000_000n };

/**
 * The body of `PUT /api/v0/asks/{id}/`, as `vastai` 1.9.1 makes it (`api/instances.py`, `build_create_instance_payload`).
 * What cannot start at once is not to be rented: it would stand there stopped, and its disk be charged.
 * @throws ProviderError `permanent` for terms that the offer does not have, `capacity` for what costs more than the limit.
 */
export function orderOf(request: CreateRequest): object {
  checkTerms(request);
  const { ref, terms, letIn, maxPricePerHourMicroUsd: most } = request;
  const price = priceOn(request);
  if ((terms.bidPerHourMicroUsd ?? price) > most) {
    throw new ProviderError('capacity', 'This offer of Vast.ai costs more than the limit.');
  }
  return {
    client_id: 'me',
    image: terms.image ?? DEFAULT_IMAGE,
    disk: terms.diskGiB,
    label: ref,
    runtype: RUNTYPE,
    env: letIn?.proof === null || letIn?.proof === undefined ? {} : { HITCH_PROOF: letIn.proof },
    onstart: onstartFor(letIn),
    cancel_unavail: true,
    ...(terms.market === 'spot' ? { price: Number(bidFor(request, price)) / 1e6 } : {}),
  };
}

/** What the offer costs an hour with the disk that is asked for, all in. */
function priceOn({ offer, terms }: Pick<CreateRequest, 'offer' | 'terms'>): bigint {
  const more =
    BigInt(terms.diskGiB - offer.diskGiB) * parseMicroUsd(offer.takes?.disk?.perGiBHourMicroUsd ?? '0');
  return parseMicroUsd(offer.pricePerHourMicroUsd) + more;
}

/** A bid of one's own is all in; the network's is for the machine alone, and the disk is charged beside it. */
function bidFor({ offer, terms }: CreateRequest, price: bigint): bigint {
  const machine = offer.priceParts
    .filter(({ label }) => label === MACHINE)
    .reduce((sum, { perHourMicroUsd }) => sum + parseMicroUsd(perHourMicroUsd), 0n);
  const asked = machine + (terms.bidPerHourMicroUsd ?? price) - price;
  const { least, most } = BIDS_MICRO_USD;
  if (asked > most) {
    throw new ProviderError('permanent', 'Vast.ai takes no bid above $128 an hour.');
  }
  return asked < least ? least : asked;
}

/**
 * Without the file, whoever comes by ssh lands in tmux, and programs do too. The key is attached to the machine as well:
 * those that stand here alone are taken out again after hours.
 * Source: SkyPilot `provision/vast/utils.py`, `launch`, and its pull request #10730.
 */
function onstartFor(letIn: LetIn | null): string {
  const noTmux = 'touch ~/.no_auto_tmux';
  if (letIn === null) {
    return noTmux;
  }
  const key = quoted(letIn.publicKey.trim());
  return [
    noTmux,
    'mkdir -p ~/.ssh',
    'chmod 700 ~/.ssh',
    `grep -qxF ${key} ~/.ssh/authorized_keys 2>/dev/null || printf '\\n%s\\n' ${key} >> ~/.ssh/authorized_keys`,
    'chmod 600 ~/.ssh/authorized_keys',
  ].join('; ');
}

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
