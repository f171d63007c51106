/** A figure in a line: its name, its last value, and its course in a few characters. */
import type { MetricGlance } from './wire.ts';

const BLOCKS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const MOST_BLOCKS = 12;

export const figureText = (value: number | null): string =>
  value === null ? '–' : Number(value.toPrecision(4)).toString();

/** `█▅▃▂▁▁`; '' for fewer than two values. */
export function course(values: readonly number[], most = MOST_BLOCKS): string {
  if (values.length < 2) {
    return '';
  }
  const count = Math.min(most, values.length);
  const chosen = Array.from(
    { length: count },
    (_, at) => values[Math.round((at * (values.length - 1)) / (count - 1))] ?? 0,
  );
  const [low, high] = [Math.min(...chosen), Math.max(...chosen)];
  const span = high - low;
  return chosen
    .map(value => BLOCKS[span > 0 ? Math.round(((value - low) / span) * (BLOCKS.length - 1)) : 3] ?? '')
    .join('');
}

/** `loss 0.125 at step 40`. */
export const glanceWords = ({ name, last, step }: MetricGlance): string =>
  `${name} ${figureText(last)}${step === null ? '' : ` at step ${figureText(step)}`}`;
