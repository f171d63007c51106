/** Settings as they are now: read once they are loaded, and again at each change. */
import type { ISettingRegistry } from '@jupyterlab/settingregistry';
import type { IDisposable } from '@lumino/disposable';
import { Token } from '@lumino/coreutils';
import { Signal, type ISignal } from '@lumino/signaling';
import { DEFAULT_PREFERENCES, preferencesSchema, type Preferences } from './preferences.ts';

export const SETTINGS_ID = 'jupyterlab-hitch:settings';

export interface IPreferences {
  /** The defaults until the settings are loaded. */
  readonly present: Preferences;
  readonly changed: ISignal<IPreferences, void>;
  /** Keeps a setting, as the settings' own editor would. @throws Error when it cannot be kept. */
  keep<Name extends keyof Preferences>(name: Name, value: Preferences[Name]): Promise<void>;
}

export const IPreferences = new Token<IPreferences>(
  'jupyterlab-hitch:IPreferences',
  'Settings for renting GPUs: first limits and filters, and when to ask.',
);

/** Lives as long as the application. Nobody waits for it: a setting that comes late is applied when it comes. */
export class LivePreferences implements IPreferences, IDisposable {
  readonly changed = new Signal<this, void>(this);
  #present = DEFAULT_PREFERENCES;
  #settings: ISettingRegistry.ISettings | null = null;
  #disposed = false;

  constructor(registry: ISettingRegistry | null) {
    registry?.load(SETTINGS_ID).then(
      settings => this.#follow(settings),
      (error: unknown) => console.warn('Hitch uses its default settings.', error),
    );
  }

  get present(): Preferences {
    return this.#present;
  }

  async keep<Name extends keyof Preferences>(name: Name, value: Preferences[Name]): Promise<void> {
    // Where settings are not loaded it holds for this visit.
    this.#present = { ...this.#present, [name]: value };
    this.changed.emit();
    await this.#settings?.set(name, value);
  }

  get isDisposed(): boolean {
    return this.#disposed;
  }

  dispose(): void {
    this.#disposed = true;
    this.#settings?.changed.disconnect(this.#read, this);
    Signal.clearData(this);
  }

  #follow(settings: ISettingRegistry.ISettings): void {
    if (this.#disposed) {
      return;
    }
    this.#settings = settings;
    settings.changed.connect(this.#read, this);
    this.#read(settings);
  }

  #read(settings: ISettingRegistry.ISettings): void {
    this.#present = preferencesSchema.parse(settings.composite);
    this.changed.emit();
  }
}
