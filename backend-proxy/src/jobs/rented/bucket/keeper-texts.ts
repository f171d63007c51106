/** The program that keeps checkpoints in a bucket, from the machine that they are made on, as text (scripts/bundle/texts.mjs). */
import { readFileSync } from 'node:fs';

const textOf = (file: string): string => readFileSync(new URL(file, import.meta.url), 'utf8');

export const KEEPER = textOf('../../../../python/hitch_bucket/keep.py');
