/** What the actions, the panel and the tabs work with. */
import type { TitleOf } from '@hitch/contract';
import type { JupyterFrontEnd } from '@jupyterlab/application';
import { nullTranslator, type ITranslator, type TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import type { IPreferences } from '../settings/settings.ts';
import type { IHitch } from '../tokens.ts';

export interface Deps {
  readonly hitch: IHitch;
  readonly commands: CommandRegistry;
  readonly preferences: IPreferences;
  readonly trans: TranslationBundle;
  /** The wall clock. */
  readonly now: () => number;
}

export function depsOf(
  app: JupyterFrontEnd,
  hitch: IHitch,
  preferences: IPreferences,
  translator: ITranslator | null,
): Deps {
  const trans = (translator ?? nullTranslator).load('jupyterlab_hitch');
  return { hitch, commands: app.commands, preferences, trans, now: () => Date.now() };
}

/** A network's name as people know it. */
export function titlesOf(hitch: Pick<IHitch, 'providers'>): TitleOf {
  return id => hitch.providers.find(provider => provider.id === id)?.title ?? id;
}
