/** What a cluster costs and when it ends, a line each: the same beside the plot in both editors. */
import { costInAll, format, rateWords, stopsAtMs, type Cluster } from '@hitch/contract';
import { workWords } from '@hitch/contract/src/stop-plan.ts';
import type { Translate } from '../base/translate.ts';

export function moneyLines(cluster: Cluster, nowMs: number, t: Translate): string[] {
  const { usage, endedAtMs, practice } = cluster;
  return [
    ...(endedAtMs === null
      ? [
          t(
            '%1 of %2 spent, at %3',
            format.dollars(format.costOfRun(usage)),
            format.dollars(usage.capMicroUsd),
            rateWords(usage),
          ),
          ...(usage.comesBackMicroUsd === undefined
            ? []
            : [t('%1 comes back if it ends now', format.dollars(usage.comesBackMicroUsd))]),
          ...stopLines(cluster, nowMs, t),
        ]
      : [costInAll(usage)]),
    ...(practice ? [t('Practice: nobody is charged')] : []),
  ];
}

/** When it stops, and what is saved then. */
function stopLines(cluster: Cluster, nowMs: number, t: Translate): string[] {
  const { caps, save } = cluster;
  const stops = stopsAtMs(cluster);
  const idle = caps.idleMs === null ? null : format.duration(caps.idleMs);
  const when =
    stops === null
      ? idle === null
        ? []
        : [t('Stops after %1 idle', idle)]
      : idle === null
        ? [t('Stops %1', format.clock(stops, nowMs))]
        : [t('Stops %1, or after %2 idle', format.clock(stops, nowMs), idle)];
  return [
    ...when,
    save.paths.length === 0
      ? t('⚠ Nothing is saved when it stops')
      : t('Saves %1 when it stops', save.paths.map(workWords).join(', ')),
  ];
}
