/** What is to be said of a job's own machine beside where it stands: its limits, its checkpoint, and what is here of it. */
import { checkpointWords, format, type JobRental, shownName } from '@hitch/contract';
import type { Translate } from '../base/translate.ts';

/** Titles, each with its words. */
export function rentalFacts(
  rental: JobRental,
  nowMs: number,
  t: Translate,
): readonly (readonly [string, string])[] {
  const { limits, saved, stage, message, template } = rental;
  const checkpoint = checkpointWords(rental, nowMs);
  return [
    ...(template === null ? [] : [[t('Template'), shownName(template.id)] as const]),
    [
      t('Limits'),
      [
        t('%1 in total', format.dollars(limits.capMicroUsd)),
        t('%1 an hour', format.dollars(limits.maxNodePricePerHourMicroUsd)),
        ...(limits.lastsMs === null ? [] : [t('%1 of time', format.duration(limits.lastsMs))]),
      ].join(', '),
    ],
    ...(checkpoint === null ? [] : [[t('Checkpoint'), checkpoint] as const]),
    ...(rental.checkpoint === null
      ? []
      : [
          [
            t('Kept in'),
            t('%1, %2', shownName(rental.checkpoint.folder), format.bytes(rental.checkpoint.bytes)),
          ] as const,
        ]),
    ...(saved.length === 0 ? [] : [[t('Saved here'), saved.map(shownName).join(', ')] as const]),
    // While it goes on, the line above says it.
    ...(stage === 'over' && message !== '' ? [[t('Its end'), shownName(message)] as const] : []),
  ];
}
