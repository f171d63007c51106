/** Settings, read where they may be set: what is `application` scoped is never taken from a workspace. */
import * as vscode from 'vscode';
import { SETTINGS, settingFrom, type SettingId, type SettingValue } from '../declared/settings.ts';

export class Settings {
  get<Id extends SettingId>(id: Id): SettingValue<Id> {
    const inspected = vscode.workspace.getConfiguration().inspect(id);
    const raw =
      SETTINGS[id].scope === 'application'
        ? (inspected?.globalValue ?? inspected?.defaultValue)
        : vscode.workspace.getConfiguration().get(id);
    return settingFrom(id, raw);
  }

  all(): Readonly<Record<string, unknown>> {
    return Object.fromEntries(Object.keys(SETTINGS).map(id => [id, this.get(id as SettingId)]));
  }

  onChange(id: SettingId, run: () => void): vscode.Disposable {
    return vscode.workspace.onDidChangeConfiguration(event => {
      if (event.affectsConfiguration(id)) {
        run();
      }
    });
  }
}
