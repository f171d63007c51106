/** Start Again…, Next Offer… and Replace…: the daemon knows what was ordered; here it is asked, confirmed and followed. */
import type { Cluster } from '@hitch/contract';
import { HitchError } from '@hitch/contract/src/errors.ts';
import type { HitchModel } from '../daemon/model.ts';
import { rentAgain } from '../rent/again.ts';
import { sentence } from '../sentence.ts';
import { changeLimits } from './limits-steps.ts';
import { fail } from './messages.ts';
import type { RentApi } from './rent-module.ts';
import { withProgress } from './screen.ts';

export interface OnceMoreDeps {
  readonly model: HitchModel;
  readonly rent: RentApi;
  /** Other limits for a cluster that runs. */
  readonly extend: (clusterId: string) => Promise<void>;
}

/** @throws HitchError where it can be neither rented nor replaced now. */
export async function rentOnceMore(
  { model, rent, extend }: OnceMoreDeps,
  cluster: Cluster,
  { skipTried }: { readonly skipTried: boolean },
): Promise<void> {
  const { api } = model.client;
  const clusterId = cluster.id;
  try {
    const rented = await rentAgain(cluster, {
      quote: limits =>
        withProgress('status bar', 'Hitch asks for the price', () =>
          api.quotes.again({ clusterId, skipTried, ...limits }),
        ),
      confirm: quote =>
        rent.confirm(quote, ({ id: quoteId }) => api.clusters.startAgain({ clusterId, quoteId })),
      changeLimits: async limits => {
        const answer = await changeLimits(
          { title: `Start ${cluster.name} again`, step: 1, totalSteps: 1 },
          limits,
          false,
        );
        return answer.kind === 'value' ? answer.value : null;
      },
      extend: () => extend(clusterId),
    });
    if (rented !== null) {
      await rent.follow(rented.cluster, rented.candidates);
    }
  } catch (error) {
    if (!(error instanceof HitchError && error.code === 'NO_OFFERS')) {
      throw error;
    }
    const another = 'Rent Another…';
    if ((await fail(sentence(error), another)) === another) {
      await rent.rentAndWait({ template: cluster.template });
    }
  }
}
