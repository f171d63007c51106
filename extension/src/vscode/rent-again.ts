/** Start Again…, Next Offer… and Replace…: the daemon knows what was ordered; here it is asked, confirmed and followed. */
import * as vscode from 'vscode';
import type { Cluster, LimitChange, Quote } from '@hitch/contract';
import { HitchError } from '@hitch/contract/src/errors.ts';
import { formatMicroUsd, parseMicroUsd, typedDollars } from '@hitch/contract/src/money.ts';
import { isOver } from '@hitch/contract/src/words.ts';
import type { HitchModel } from '../daemon/model.ts';
import { type AgainChange, rentAgain } from '../rent/again.ts';
import { offersOf } from '../rent/named-offers.ts';
import { readDollars } from '../rent/read.ts';
import { sentence } from '../sentence.ts';
import { changeLimits } from './limits-steps.ts';
import { fail } from './messages.ts';
import type { RentApi } from './rent-module.ts';
import { askLine, withProgress } from './screen.ts';

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
      quote: first =>
        quoteWithin(
          first,
          limits =>
            withProgress('status bar', 'Hitch: getting the price', () =>
              api.quotes.again({ clusterId, skipTried, ...limits }),
            ),
          async () => {
            if (isOver(cluster)) {
              return askCap(cluster);
            }
            await extend(clusterId);
            return {};
          },
        ),
      confirm: quote =>
        rent.confirm(quote, ({ id: quoteId }) => api.clusters.startAgain({ clusterId, quoteId })),
      changeLimits: async (limits, quote) => {
        const sold = { offers: await offersOf(api, quote), nodes: quote.nodes };
        const answer = await changeLimits(
          { title: `Start ${cluster.name} again`, step: 1, totalSteps: 1 },
          limits,
          undefined,
          sold,
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

/** Today's price may be more than the cap allows: then another cap, and the price anew. @throws CancellationError. */
async function quoteWithin(
  first: AgainChange,
  quote: (limits: AgainChange) => PromiseLike<Quote>,
  otherCap: () => Promise<LimitChange | null>,
): Promise<Quote> {
  let limits = first;
  for (;;) {
    try {
      return await quote(limits);
    } catch (error) {
      if (!(error instanceof HitchError && error.code === 'CAP_TOO_LOW')) {
        throw error;
      }
      const change = 'Change Limits…';
      const other = (await fail(sentence(error), change)) === change ? await otherCap() : null;
      if (other === null) {
        throw new vscode.CancellationError();
      }
      limits = { ...limits, ...other };
    }
  }
}

/** Null: it was given up. */
async function askCap({ name, caps }: Cluster): Promise<LimitChange | null> {
  const text = await askLine({
    title: `Spending limit of ${name}`,
    prompt: 'Spending limit in dollars',
    value: typedDollars(parseMicroUsd(caps.totalMicroUsd)),
    check: value => {
      const read = readDollars(value);
      return 'problem' in read ? read.problem : undefined;
    },
  });
  const read = text === undefined ? null : readDollars(text);
  return read !== null && 'amount' in read ? { capMicroUsd: formatMicroUsd(read.amount) } : null;
}
