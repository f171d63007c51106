/** The operating system's keychain: macOS Keychain, Windows Credential Manager, or a Secret Service on Linux. */
import type { Clock } from '@hitch/platform/src/clock.ts';
import { errorText } from '@hitch/platform/src/log.ts';

export interface Keychain {
  /** Null when it can be used; otherwise why not, for people. */
  problem(): Promise<string | null>;
  get(name: string): Promise<string | null>;
  set(name: string, value: string): Promise<void>;
  remove(name: string): Promise<void>;
}

/** A locked keychain asks the person; a broken one never answers. */
const ANSWER_TIMEOUT_MS = 20_000;
const PROBE_TIMEOUT_MS = 3_000;
const PROBE = 'hitch-probe';

/** Only a store that survives a restart: the kernel's keyring, which the library would fall back to, does not. */
const OPTIONS = { linux: { store: 'secret-service' } } as const;

/** Why there is none where the native module for this system was not brought along: nothing that a person could unlock. */
export const NO_KEYCHAIN_MODULE = `Hitch brings no keychain module for ${process.platform} on ${process.arch}`;

const load = () =>
  import('@napi-rs/keyring').catch((error: unknown) => {
    throw new Error(NO_KEYCHAIN_MODULE, { cause: error });
  });

/** @param service what entries stand under; one for each home. */
export function systemKeychain(service: string, clock: Clock): Keychain {
  // A native module: it is loaded when somebody uses secrets, and may be missing for a platform.
  const entry = async (name: string) => new (await load()).AsyncEntry(service, name, OPTIONS);
  const within = async <T>(timeoutMs: number, run: (signal: AbortSignal) => Promise<T>): Promise<T> => {
    const late = new AbortController();
    const expired = Promise.withResolvers<never>();
    const timer = clock.setTimer(() => {
      late.abort();
      expired.reject(new Error('the keychain does not answer'));
    }, timeoutMs);
    try {
      return await Promise.race([run(late.signal), expired.promise]);
    } finally {
      timer.cancel();
    }
  };
  let problem: Promise<string | null> | null = null;
  const probe = async (): Promise<string | null> => {
    try {
      await within(PROBE_TIMEOUT_MS, async signal => {
        const probeEntry = await entry(PROBE);
        await probeEntry.setPassword(PROBE, signal);
        await probeEntry.deletePassword(signal);
      });
      return null;
    } catch (error) {
      return errorText(error);
    }
  };
  return {
    problem: () => (problem ??= probe()),
    get: name =>
      within(ANSWER_TIMEOUT_MS, async signal => (await (await entry(name)).getPassword(signal)) ?? null),
    set: (name, value) =>
      within(ANSWER_TIMEOUT_MS, async signal => (await entry(name)).setPassword(value, signal)),
    remove: name =>
      within(ANSWER_TIMEOUT_MS, async signal => {
        await (await entry(name)).deletePassword(signal);
      }),
  };
}
