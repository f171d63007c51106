/** What a cluster costs and when it ends, a line each. */
import { costInAll, format, stopsAtMs, type Cluster } from '@hitch/contract';
import type { TranslationBundle } from '@jupyterlab/translation';

export function moneyLines(cluster: Cluster, nowMs: number, trans: TranslationBundle): string[] {
  const { usage, caps, save, practice } = cluster;
  const over = cluster.endedAtMs !== null;
  const stops = over ? null : stopsAtMs(cluster);
  const idle = over || caps.idleMs === null ? null : format.duration(caps.idleMs);
  return [
    over
      ? costInAll(usage)
      : trans.__(
          '%1 of %2 spent, %3/h',
          format.dollars(format.costOfRun(usage)),
          format.dollars(usage.capMicroUsd),
          format.dollars(usage.ratePerHourMicroUsd),
        ),
    ...(stops === null && idle === null
      ? []
      : stops === null
        ? [trans.__('Stops after %1 idle', idle ?? '')]
        : idle === null
          ? [trans.__('Stops %1', format.clock(stops, nowMs))]
          : [trans.__('Stops %1, or after %2 idle', format.clock(stops, nowMs), idle)]),
    ...(over
      ? []
      : [
          save.paths.length === 0
            ? trans.__('Saves nothing when it stops')
            : trans.__(
                'Saves %1 when it stops',
                save.paths.map(path => `~/work/${path}`.replace(/\/\.?$/, '')).join(', '),
              ),
        ]),
    ...(practice ? [trans.__('Practice: these dollars are not paid')] : []),
  ];
}
