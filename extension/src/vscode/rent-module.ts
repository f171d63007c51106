/** Rent…: the steps, the price, the yes, and the way to a machine that works. Spending needs the yes of a person here. */
import * as vscode from 'vscode';
import type { Cluster, ClusterId, Offer, OfferFilter, Preset, Quote, TemplateDetails } from '@hitch/contract';
import { HitchError } from '@hitch/contract/src/errors.ts';
import { formatMicroUsd, parseMicroUsd } from '@hitch/contract/src/money.ts';
import { systemClock } from '@hitch/platform/src/clock.ts';
import { titlesOf } from '../daemon/state.ts';
import { arrivalOf, stageOf } from '../rent/progress.ts';
import { sentence } from '../sentence.ts';
import type { ClustersViewApi } from './clusters-view.ts';
import type { OffersViewApi } from './offers-view.ts';
import { ask, fail, inform } from './messages.ts';
import type { Host, Module } from './module.ts';
import { withProgress } from './screen.ts';
import type { WizardStart } from './rent-wizard.ts';

export interface RentApi {
  /** From nothing to a cluster that can run a notebook; null when it was given up. */
  rentAndWait(
    start?: Partial<WizardStart>,
    /** Called once somebody has said yes and it is ordered. */
    ordered?: (cluster: Cluster) => void,
  ): Promise<Cluster | null>;
  /** The same for a preset, with the limits of the settings and one question. */
  rentPreset(preset: Preset, ordered: (cluster: Cluster) => void): Promise<Cluster | null>;
  /** The same with offers that a person chose, and what they were found with; tells when it can be used. */
  rentOffers(offers: readonly Offer[], nodes: number, filter: OfferFilter): Promise<void>;
  /** The same for a template, with what the daemon says of it as the search and the limits. */
  rentTemplate(details: TemplateDetails): Promise<void>;
  /** Shows the quote and, on a yes, rents it. `again`: for a stopped cluster. Null: no. */
  confirm(quote: Quote, rent: (quote: Quote) => Promise<Cluster>): Promise<Cluster | 'change' | null>;
  /** Shows the stages until it can be used; null when it is over or nobody waits any more. */
  follow(cluster: Cluster, candidates: number): Promise<Cluster | null>;
}

export interface RentViews {
  readonly clusters: ClustersViewApi | null;
  readonly offers: OffersViewApi | null;
}

const CHANGE = 'Change…';
const CREATE_TRIES = 5;
const CREATE_PAUSE_MS = 500;
const STAGE_EVERY_MS = 1_000;

export function createRentModule(host: Host, views: RentViews): Module<RentApi> {
  const { commands, connection, contextKeys } = host;
  const { model } = connection;

  /** The steps are loaded when somebody first rents. */
  const steps = async () => ({
    ...(await import('../rent/draft.ts')),
    ...(await import('./rent-wizard.ts')),
  });

  const start = async (more: Partial<WizardStart>): Promise<WizardStart> => ({
    limits: (await steps()).limitsFrom({
      capDollars: host.settings.get('hitch.rent.capDollars'),
      idleMinutes: host.settings.get('hitch.rent.idleMinutes'),
      stopAfterHours: host.settings.get('hitch.rent.stopAfterHours'),
      save: host.settings.get('hitch.rent.save'),
    }),
    secrets: [],
    packages: null,
    ...more,
  });

  const confirm: RentApi['confirm'] = async (quote, rent) => {
    const [question = 'Rent?', ...details] = quote.lines;
    // The first button has the focus: Enter out of habit changes something and spends nothing.
    const said = await ask(question, details.join('\n'), CHANGE, quote.yes);
    if (said === CHANGE) {
      return 'change';
    }
    return said === quote.yes ? rent(quote) : null;
  };

  /** A quote makes one cluster however often it is asked: an unanswered call is simply made again. */
  const create = async (quote: Quote, name: string): Promise<Cluster> => {
    for (let tries = 1; ; tries++) {
      try {
        return await model.client.api.clusters.create({
          quoteId: quote.id,
          ...(name === '' ? {} : { name }),
        });
      } catch (error) {
        if (tries === CREATE_TRIES || !(error instanceof HitchError && error.code === 'UNREACHABLE')) {
          throw error;
        }
        await systemClock.sleep(CREATE_PAUSE_MS);
      }
    }
  };

  const find = (id: ClusterId): Cluster | undefined =>
    model.state.clusters?.find(cluster => cluster.id === id);

  const follow: RentApi['follow'] = async (created, candidates) => {
    views.clusters?.noteCandidates(created.id, candidates);
    await model.refresh();
    contextKeys.set('hitch.did.rent', true);
    await vscode.commands.executeCommand('hitch.clusters.focus');
    let latest = created;
    await withProgress(
      'notification',
      `Hitch: ${created.name}`,
      ({ cancelled, report }) =>
        new Promise<void>(resolve => {
          const look = (): void => {
            latest = find(created.id) ?? latest;
            const context = { nowMs: Date.now(), titleOf: titlesOf(model.state.providers), candidates };
            report(stageOf(latest, context));
            if (arrivalOf(latest) !== 'coming') {
              end();
            }
          };
          const stop = model.onChange(look);
          const tick = setInterval(look, STAGE_EVERY_MS);
          const given = cancelled.onCancellationRequested(() => end());
          const end = (): void => {
            stop();
            clearInterval(tick);
            given.dispose();
            resolve();
          };
          look();
        }),
    );
    switch (arrivalOf(latest)) {
      case 'usable':
        return latest;
      case 'coming':
        await askAboutRelease(latest);
        return null;
      case 'over':
        void sayItEnded(latest);
        return null;
    }
  };

  const askAboutRelease = async (cluster: Cluster): Promise<void> => {
    const release = 'Cancel Renting';
    const said = await ask(
      `Cancel renting ${cluster.name}?`,
      'Machines already rented are returned. If you keep renting, it goes on until it is ready, and is billed.',
      'Keep Renting',
      release,
    );
    if (said === release) {
      await model.client.api.clusters.stop({ clusterId: cluster.id, skipSave: true });
      await model.refresh();
    }
  };

  const sayItEnded = async (cluster: Cluster): Promise<void> => {
    const next = 'Try a Similar Offer…';
    const line = stageOf(cluster, {
      nowMs: Date.now(),
      titleOf: titlesOf(model.state.providers),
      candidates: 0,
    });
    if ((await fail(`${cluster.name}: ${line}`, next)) === next) {
      await vscode.commands.executeCommand('hitch.cluster.nextOffer', cluster.id);
    }
  };

  const rentAndWait: RentApi['rentAndWait'] = async (more = {}, ordered) => {
    await model.need();
    const { quoteRequestOf, runWizard } = await steps();
    let options = await start(more);
    for (;;) {
      const draft = await runWizard(model, options);
      if (draft === null) {
        return null;
      }
      const quote = await withProgress('status bar', 'Hitch: getting the price', () =>
        model.client.api.quotes.create(quoteRequestOf(draft, Date.now())),
      );
      const said = await confirm(quote, fresh => create(fresh, draft.name));
      if (said === null) {
        return null;
      }
      if (said !== 'change') {
        ordered?.(said);
        return follow(said, quote.candidates.length);
      }
      options = {
        ...options,
        limits: draft.limits,
        secrets: draft.secrets,
        packages: draft.packages,
      };
    }
  };

  const rentPreset: RentApi['rentPreset'] = async (preset, ordered) => {
    await model.need();
    const { draftOf, quoteRequestOf } = await steps();
    const draft = draftOf(preset, (await start({})).limits);
    const quote = await withProgress('status bar', 'Hitch: getting the price', () =>
      model.client.api.quotes.create(quoteRequestOf(draft, Date.now())),
    );
    const said = await confirm(quote, fresh => create(fresh, draft.name));
    if (said === null) {
      return null;
    }
    if (said === 'change') {
      return rentAndWait({ preset }, ordered);
    }
    ordered(said);
    return follow(said, quote.candidates.length);
  };

  const rentOffers: RentApi['rentOffers'] = async (offers, nodes, filter) => {
    void tell(await rentAndWait({ offers, preset: presetOf(offers, nodes, filter) }));
  };

  const rentTemplate: RentApi['rentTemplate'] = async ({ info, rent }) => {
    if (rent === null) {
      throw new HitchError('BAD_INPUT', `The template ${info.id} has mistakes.`, {
        next: 'Correct its hitch.yaml; they are marked there.',
      });
    }
    const { templateFilter, templateLimits } = await import('@hitch/contract/src/templates/rent-wish.ts');
    const { USUAL_FILTER } = await import('../rent/offer-words.ts');
    const own = (await start({})).limits;
    const limits = templateLimits(
      {
        capMicroUsd: formatMicroUsd(own.capMicroUsd),
        timeMs: own.stopAfterMs === 0 ? null : own.stopAfterMs,
        idleMs: own.idleMs,
      },
      rent,
    );
    const most = rent.maxNodePricePerHourMicroUsd;
    void tell(
      await rentAndWait({
        template: info.id,
        preset: {
          id: 'template',
          label: info.title,
          detail: '',
          nodes: rent.nodes,
          template: info.id,
          filter: templateFilter(USUAL_FILTER, rent),
          maxNodePricePerHourMicroUsd: most,
        },
        limits: {
          ...own,
          capMicroUsd: parseMicroUsd(limits.capMicroUsd),
          stopAfterMs: limits.timeMs ?? 0,
          idleMs: limits.idleMs,
          save: [...new Set([...own.save, ...rent.save])],
        },
        secrets: rent.secrets,
      }),
    );
  };

  const sayReady = async (cluster: Cluster | null): Promise<void> => {
    const run = 'Run on…';
    if (cluster === null) {
      return;
    }
    if ((await inform(`${cluster.name} is ready for a notebook.`, run)) === run) {
      await vscode.commands.executeCommand('hitch.cluster.runOn', cluster.id);
    }
  };

  return {
    api: { rentAndWait, rentPreset, rentOffers, rentTemplate, confirm, follow },
    disposables: [
      commands.register('hitch.rent.new', async () => {
        void tell(await rentAndWait());
      }),
      commands.register('hitch.rent.fromOffer', async rowId => {
        const found = typeof rowId === 'string' ? (views.offers?.offer(rowId) ?? null) : null;
        await (found === null ? rentAndWait().then(tell) : rentOffers([found.offer], 1, found.search.filter));
      }),
    ],
  };

  async function tell(cluster: Cluster | null): Promise<void> {
    try {
      await sayReady(cluster);
    } catch (error) {
      host.log.error('The notebook could not be opened', sentence(error));
    }
  }
}

/** Nothing is left to choose about the machines. */
function presetOf(offers: readonly Offer[], nodes: number, filter: OfferFilter): Preset {
  return {
    id: 'offer',
    label: '',
    detail: '',
    nodes,
    template: nodes > 1 ? 'ray' : null,
    filter: offers.every(({ practice }) => practice) ? { ...filter, practice: 'only' } : filter,
    maxNodePricePerHourMicroUsd: null,
  };
}
