/** 22 November 2026 on this computer's clock, so that the words read the same in any time zone. */
export const at = (hours: number, minutes: number, seconds = 0) =>
  new Date(2026, 10, 22, hours, minutes, seconds).getTime();

export const NOW = at(14, 5);
