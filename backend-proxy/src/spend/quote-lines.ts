/** The confirm dialog in words, a line each; see UX.md. */
import { type Offer, parseMicroUsd, type Quote, showDollars } from '@hitch/contract';

/** Such as `1× RTX 4090, 24 GB`. */
export function machineTitle({ gpuModel, gpuCount, vramMiB, cpuCores }: Offer): string {
  return gpuModel === null
    ? `${cpuCores.toString()} CPU cores`
    : `${gpuCount.toString()}× ${gpuModel}, ${Math.round(vramMiB / 1024).toString()} GB`;
}

type Facts = Omit<Quote, 'lines' | 'yes'>;

export function quoteLines(
  quote: Facts,
  offers: readonly Offer[],
  titleOf: (provider: string) => string,
): string[] {
  const [first] = offers;
  const others = offers.length - 1;
  const bare = (amount: string) => showDollars(parseMicroUsd(amount)).slice(1);
  const parts = quote.parts
    .map(({ label, perHourMicroUsd }) => `${label} ${bare(perHourMicroUsd)}`)
    .join(', ');
  const machine = first === undefined ? 'machines' : machineTitle(first);
  const what = quote.nodes === 1 ? machine : `${quote.nodes.toString()} nodes of ${machine}`;
  return [
    `Rent ${what} on ${titleOf(first?.provider ?? '')}?`,
    `${showDollars(parseMicroUsd(quote.ratePerHourMicroUsd))}/h${parts === '' ? '' : `: ${parts}`}. Non-refundable: ${showDollars(parseMicroUsd(quote.nonRefundableMicroUsd))}`,
    stopLine(quote),
    quote.save.paths.length > 0
      ? `Then: save ${quote.save.paths.join(', ')} here, destroy. Saving is inside the ${showDollars(parseMicroUsd(quote.caps.totalMicroUsd))}`
      : 'Then: destroy; nothing is saved',
    ...(quote.practice ? ['Practice: nothing is paid, no CUDA is there'] : []),
    quote.endsBillingAlone ? 'Laptop off: ends itself' : '⚠ bills until this computer wakes',
    ...(offers.some(({ trust }) => trust === 'community')
      ? ['Community host: its owner can read your data']
      : []),
    ...(others > 0
      ? [
          `If taken: up to ${others.toString()} ${others === 1 ? 'other' : 'others'}, at most ${showDollars(parseMicroUsd(quote.highestRatePerHourMicroUsd))}/h`,
        ]
      : []),
  ];
}

function stopLine({ caps }: Facts): string {
  const ends = [
    showDollars(parseMicroUsd(caps.totalMicroUsd)),
    ...(caps.stopAtMs === null ? [] : [new Date(caps.stopAtMs).toISOString().slice(11, 16) + ' UTC']),
    ...(caps.idleMs === null ? [] : [`${Math.round(caps.idleMs / 60_000).toString()} min idle`]),
  ];
  const last = ends.pop() ?? '';
  return ends.length === 0
    ? `Stops at ${last}`
    : `Stops at ${ends.join(', ')} or ${last}, whichever is first`;
}

export function yesLabel({ highestRatePerHourMicroUsd }: Facts): string {
  return `Rent for up to ${showDollars(parseMicroUsd(highestRatePerHourMicroUsd))}/h`;
}
