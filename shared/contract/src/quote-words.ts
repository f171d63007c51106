/** The confirm dialog in words, a line each. The quote's builder calls this; faces show the lines as they are. */
import type { Quote } from './clusters.ts';
import { clock, dollars, duration, machineTitle } from './format.ts';
import type { Offer } from './offers.ts';

export interface Network {
  readonly title: string;
  /** Its adapter has met the network's live API. */
  readonly verifiedLive: boolean;
}

/** @param offers the candidates in the order they are tried. */
export function quoteLines(
  quote: Omit<Quote, 'lines' | 'yes'>,
  offers: readonly Offer[],
  networkOf: (provider: string) => Network,
): string[] {
  const [first] = offers;
  const network = first === undefined ? null : networkOf(first.provider);
  const machine = first === undefined ? 'machines' : shortTitle(first);
  const what = quote.nodes === 1 ? machine : `${quote.nodes} nodes, each ${machine},`;
  const parts = quote.parts
    .map(part => `${part.label} ${dollars(part.perHourMicroUsd).replace('$', '')}`)
    .join(', ');
  const cap = dollars(quote.caps.totalMicroUsd);
  const spare = offers.length - quote.nodes;
  return [
    `Rent ${what} on ${network?.title ?? 'the network'}?`,
    ...(quote.again?.changes ?? []).map(change => `${CHANGED}${change}`),
    `${dollars(quote.ratePerHourMicroUsd)}/h${parts === '' ? '' : `: ${parts}`}. Non-refundable: ${dollars(quote.nonRefundableMicroUsd)}`,
    stopLine(quote),
    quote.save.paths.length === 0
      ? 'Then: destroy. Nothing is saved'
      : `Then: save ${quote.save.paths.map(path => `~/work/${path}`.replace(/\/$/, '')).join(', ')} here, destroy. Saving is inside the ${cap}`,
    laptopLine(quote),
    ...(quote.practice
      ? [`${PRACTICE}nothing is paid; these are processes on this computer, without CUDA`]
      : []),
    ...(offers.some(({ trust }) => trust === 'community')
      ? [`${COMMUNITY}its owner can read your data`]
      : []),
    ...(network === null || network.verifiedLive || quote.practice ? [] : [`${network.title}${UNVERIFIED}`]),
    ...(quote.secrets.length === 0 ? [] : [`Gets the secrets ${quote.secrets.join(', ')}`]),
    ...(spare > 0
      ? [
          `If taken: up to ${spare} ${spare === 1 ? 'other' : 'others'}, at most ${dollars(quote.highestRatePerHourMicroUsd)}/h`,
        ]
      : []),
  ];
}

const LAPTOP_WARNING = 'Laptop off: ⚠ ';
const CHANGED = 'Changed: ';
const PRACTICE = 'Practice: ';
const COMMUNITY = 'Community host: ';
const UNVERIFIED = ': not yet verified live';

/** How much a line of the dialog weighs: a face draws warnings and practice so that nobody reads past them. */
export function quoteLineTone(line: string): 'plain' | 'warning' | 'practice' {
  if (line.startsWith(PRACTICE)) {
    return 'practice';
  }
  const warns =
    line.startsWith(CHANGED) ||
    line.startsWith(LAPTOP_WARNING) ||
    line.startsWith(COMMUNITY) ||
    line.endsWith(UNVERIFIED);
  return warns ? 'warning' : 'plain';
}

/** The button that says yes. */
export function yesLabel(quote: Pick<Quote, 'highestRatePerHourMicroUsd'>): string {
  return `Rent for up to ${dollars(quote.highestRatePerHourMicroUsd)}/h`;
}

/** `1× RTX 4090`: the dialog's title has no room for more. */
function shortTitle(offer: Offer): string {
  return machineTitle(offer).split(',')[0] ?? '';
}

function stopLine({ caps, createdAtMs }: Omit<Quote, 'lines' | 'yes'>): string {
  const ends = [
    dollars(caps.totalMicroUsd),
    ...(caps.stopAtMs === null ? [] : [clock(caps.stopAtMs, createdAtMs)]),
    ...(caps.idleMs === null ? [] : [`${duration(caps.idleMs)} idle`]),
  ];
  const last = ends.pop() ?? '';
  return ends.length === 0
    ? `Stops at ${last}`
    : `Stops at ${ends.join(', ')} or ${last}, whichever is first`;
}

function laptopLine({ endsBillingAlone, caps, createdAtMs }: Omit<Quote, 'lines' | 'yes'>): string {
  if (!endsBillingAlone) {
    return `${LAPTOP_WARNING}bills until this computer wakes`;
  }
  return `Laptop off: ends itself${caps.stopAtMs === null ? '' : ` at ${clock(caps.stopAtMs, createdAtMs)}`}`;
}
