/** The status bar: what runs, what it costs an hour, when it stops. Hidden while nothing does. */
import type { Kernel } from '@hitch/contract';
import * as format from '@hitch/contract/src/format.ts';
import { isLive, titlesOf } from '../daemon/state.ts';
import { lastHours } from '../status/last-hour.ts';
import { StatusLine, tooltip, TOOLTIP_COMMANDS } from '../status/status-bar.ts';
import { disposable, type Host, type Module } from './module.ts';
import { createStatusItem } from './screen.ts';

const EACH_MINUTE_MS = 60_000;
/** A line that appears for a moment only is worse than one that comes a little later. */
const PRIORITY = 50;

export interface StatusBarApi {
  /** What is shown now; null while hidden. */
  readonly text: () => string | null;
}

export function createStatusBar(
  host: Host,
  kernelsOf: (clusterId: string) => readonly Kernel[],
): Module<StatusBarApi> {
  const { model } = host.connection;
  const item = createStatusItem({
    id: 'hitch.status',
    name: 'Hitch: GPUs and what they cost',
    command: 'hitch.clusters.focus',
    priority: PRIORITY,
  });
  const line = new StatusLine();
  let shown: string | null = null;
  let drawn = '';
  let month: string | null = null;
  let lastTooltip = '';
  let hours: ReadonlyMap<string, string> = new Map();

  const show = (): void => {
    const nowMs = Date.now();
    const clusters = model.state.clusters ?? [];
    const bar = host.settings.get('hitch.statusBar.show') ? line.show(clusters, nowMs) : null;
    shown = bar?.text ?? null;
    if (bar === null) {
      item.hide();
      drawn = '';
      return;
    }
    // Set only when changed: each assignment is drawn again. The warning is in its icon.
    const look = `${bar.icon} ${bar.text}`;
    if (look !== drawn) {
      drawn = look;
      item.set(bar.text, bar.icon, bar.spoken, bar.warns);
    }
    const text = tooltip(clusters, {
      titleOf: titlesOf(model.state.providers),
      nowMs,
      monthMicroUsd: month,
      kernelsOf,
      lastHourOf: id => hours.get(id) ?? null,
    });
    if (text !== lastTooltip) {
      lastTooltip = text;
      item.setTooltip(text, TOOLTIP_COMMANDS);
    }
    item.show();
  };
  const count = async (): Promise<void> => {
    const now = new Date();
    const fromMs = new Date(now.getFullYear(), now.getMonth(), 1).getTime();
    try {
      const total = await model.client.api.usage.total(
        { fromMs, toMs: now.getTime() },
        { signal: model.signal },
      );
      month = format.dollars(total.costMicroUsd) === '$0.00' ? null : total.costMicroUsd;
    } catch (error) {
      host.log.debug('The month’s total could not be asked for', String(error));
    }
    show();
  };
  const lookBack = async (): Promise<void> => {
    hours = await lastHours(model.client.api, (model.state.clusters ?? []).filter(isLive), model.signal);
    show();
  };
  const tick = setInterval(() => {
    if ((model.state.clusters ?? []).some(isLive)) {
      void count();
      void lookBack();
    } else {
      show();
    }
  }, EACH_MINUTE_MS);
  show();
  return {
    api: { text: () => shown },
    disposables: [
      item,
      disposable(model.onChange(show)),
      host.settings.onChange('hitch.statusBar.show', show),
      disposable(() => clearInterval(tick)),
    ],
  };
}
