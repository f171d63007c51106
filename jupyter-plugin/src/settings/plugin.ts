/** The settings of everything that is seen. */
import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { IPreferences, LivePreferences, SETTINGS_ID } from './settings.ts';

export const settingsPlugin: JupyterFrontEndPlugin<IPreferences> = {
  id: SETTINGS_ID,
  description: 'Settings for renting GPUs.',
  autoStart: true,
  optional: [ISettingRegistry],
  provides: IPreferences,
  activate: (_app, registry: ISettingRegistry | null) => new LivePreferences(registry),
};
