/** The messages that become outputs of a cell. */
import type { NotebookOutput } from '@hitch/contract';
import type { OutputFold } from '../../agent/kernels/outputs.ts';

const KINDS = ['stream', 'display_data', 'execute_result', 'error', 'clear_output'] as const;
export type OutputKind = (typeof KINDS)[number];

/** Undefined for a message that shows nothing by itself. */
export const outputKindOf = (type: string): OutputKind | undefined => KINDS.find(kind => kind === type);

/** As a notebook keeps them: what a page needs to follow a display is no part of its format. */
export const savedOutputs = (fold: OutputFold): NotebookOutput[] =>
  fold.outputs().map(({ transient: _, ...output }) => output);
