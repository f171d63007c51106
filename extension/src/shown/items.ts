/** What pickers and trees are given of an item: its texts made plain, its icon apart from them. */
import { editorLine } from '@hitch/contract/src/shown/places.ts';
import type { Row } from '../tree/row.ts';

export interface Item {
  /** A codicon before the label. */
  readonly icon?: string;
  readonly label: string;
  readonly description?: string;
  readonly detail?: string;
}

export interface ShownItem {
  readonly label: string;
  readonly description: string;
  readonly detail: string;
}

/** A picker reads `$(name)` as an icon: only this one stands there. */
export const shownItem = ({ icon, label, description = '', detail = '' }: Item): ShownItem => ({
  label: `${icon === undefined ? '' : `$(${icon}) `}${editorLine(label)}`,
  description: editorLine(description),
  detail: editorLine(detail),
});

export interface ShownRow {
  readonly label: string;
  readonly description: string;
  readonly spoken: string;
}

export const shownRow = ({ label, description, spoken }: Row): ShownRow => ({
  label: editorLine(label),
  description: editorLine(description),
  spoken: editorLine(spoken),
});

/** A tooltip of plain text. A line of it stays one. */
export const shownTooltip = ({ tooltip }: Pick<Row, 'tooltip'>): string =>
  tooltip().map(editorLine).join('\n');

/** What a log keeps of an error: its sentence, and where it came from. */
export const logWords = (detail: unknown): string =>
  detail instanceof Error
    ? [detail.message, ...placesIn(detail)].map(editorLine).join('\n')
    : editorLine(String(detail));

const placesIn = ({ stack = '' }: Error): string[] => stack.split('\n').filter(line => /^\s+at /.test(line));
