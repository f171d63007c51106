/** The service of clusters where a team's policies hold: what would go beyond them is refused when its price is asked for. */
import {
  type Cluster,
  type ClusterId,
  formatMicroUsd,
  HitchError,
  parseMicroUsd,
  type Quote,
} from '@hitch/contract';
import type { Clock } from '@hitch/platform/src/clock.ts';
import { checkLimitChange, checkQuote, mostPerNode, withinPolicies } from '../spend/within-policy.ts';
import { refusedBy, type TeamPolicies, type TeamPolicy } from '../templates/team-policy.ts';
import type { ClusterService } from './service.ts';

export interface GovernedOptions {
  readonly policies: Pick<TeamPolicies, 'read'>;
  readonly clock: Clock;
  /** When a cluster was rented, or started again. */
  readonly startedAtMs: (id: ClusterId) => number;
}

export function governed(
  service: ClusterService,
  { policies, clock, startedAtMs }: GovernedOptions,
): ClusterService {
  /** @param ask with the most that one machine may cost an hour; undefined: as the request has it. */
  const inside = async (
    all: readonly TeamPolicy[],
    nodes: number | null,
    ask: (most?: string) => Promise<Quote>,
  ): Promise<Quote> => {
    let quote = await ask();
    const most = mostPerNode(all, nodes ?? quote.nodes);
    if (
      most !== null &&
      parseMicroUsd(quote.highestRatePerHourMicroUsd) > most.mostMicroUsd * BigInt(quote.nodes)
    ) {
      // The first choice may fit, and only what would be tried after it cost more.
      quote = await ask(formatMicroUsd(most.mostMicroUsd)).catch((error: unknown) => {
        throw error instanceof HitchError && error.code === 'NO_OFFERS'
          ? refusedBy(
              most.policy,
              'limits.perHour',
              `Nothing fits what your team pays for an hour. ${error.message}`,
            )
          : error;
      });
    }
    checkQuote(all, quote, clock.now());
    return quote;
  };
  return {
    ...service,
    async quote(request) {
      const all = await policies.read();
      const wanted = withinPolicies(all, request, clock.now());
      return inside(all, wanted.nodes, most =>
        service.quote(most === undefined ? wanted : { ...wanted, maxNodePricePerHourMicroUsd: most }),
      );
    },
    async quoteAgain(id, options) {
      const all = await policies.read();
      return inside(all, null, most =>
        service.quoteAgain(
          id,
          most === undefined ? options : { ...options, maxNodePricePerHourMicroUsd: most },
        ),
      );
    },
    async extend(id, change, options): Promise<Cluster> {
      const { caps } = service.get(id);
      checkLimitChange(await policies.read(), change, { caps, startedAtMs: startedAtMs(id) });
      return service.extend(id, change, options);
    },
  };
}
