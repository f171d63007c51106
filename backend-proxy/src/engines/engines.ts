/** The engines there are. */
import type { EngineKind } from '@hitch/contract';
import type { Engine } from './engine.ts';
import { ray } from './ray.ts';
import { single } from './single.ts';

const ENGINES: Readonly<Record<EngineKind, Engine>> = { single, ray };

export function engineFor(kind: EngineKind): Engine {
  return ENGINES[kind];
}
