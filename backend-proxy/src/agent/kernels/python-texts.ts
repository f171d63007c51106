/**
 * The Python that Jupyter Server loads for the agent, and what starts kernels, as text. Sources read it where it lies; the bundler puts
 * the text in the place of the call that reads it (scripts/bundle/texts.mjs): an agent is one file.
 */
import { readFileSync } from 'node:fs';

const textOf = (file: string): string => readFileSync(new URL(file, import.meta.url), 'utf8');

export const HITCH_JUPYTER_SOURCE = textOf('../../../python/hitch_jupyter/__init__.py');
export const KERNEL_LAUNCHER_SOURCE = textOf('../../../python/hitch_kernel/ipykernel_launcher.py');
