/** Recordings of what a network is asked and answers, for whoever checks it for real. */
import { HitchError, type ProviderId, type Recording } from '@hitch/contract';
import type { Clock } from '@hitch/platform/src/clock.ts';
import { VERSION } from '@hitch/platform/src/version.ts';
import { redacted } from '../providers/redact.ts';
import type { Recorder } from '../providers/recorder.ts';
import type { Provider, RecordingOf } from '../providers/provider.ts';
import type { Logins } from '../secrets/logins.ts';

export interface RecordingsOptions {
  readonly clock: Pick<Clock, 'now'>;
  readonly providers: ReadonlyMap<ProviderId, Provider>;
  readonly recorder: Recorder;
  readonly logins: Pick<Logins, 'maskAll'>;
}

export class Recordings {
  readonly #options: RecordingsOptions;

  constructor(options: RecordingsOptions) {
    this.#options = options;
  }

  /** Hears the network from now on. @throws HitchError NOT_FOUND, CONFLICT where it is not asked over HTTP. */
  begin(id: ProviderId): void {
    this.#of(id);
    this.#options.recorder.begin(id);
  }

  /** What was heard since, redacted. @throws HitchError CONFLICT where nobody had it begin. */
  end(id: ProviderId): Recording {
    const { clock, recorder, logins } = this.#options;
    const { provider, recording } = this.#of(id);
    const heard = recorder.end(id);
    if (heard === null) {
      throw new HitchError('CONFLICT', `Nothing of ${provider.title} is recorded now.`, {
        next: 'Hitch was started again meanwhile: what was recorded before is lost. Check it once more.',
      });
    }
    const { exchanges, notKept } = heard;
    return {
      format: 1,
      network: id,
      adapterVersion: recording.version,
      hitchVersion: VERSION,
      api: exchanges[0] === undefined ? '' : new URL(exchanges[0].request.url).origin,
      madeAtMs: clock.now(),
      exchanges: [...redacted(exchanges, { ...recording, mask: text => logins.maskAll(text) })],
      leftOut:
        notKept === 0 ? null : `${notKept.toString()} exchanges came after there was no room left for them.`,
    };
  }

  #of(id: ProviderId): { readonly provider: Provider; readonly recording: RecordingOf } {
    const provider = this.#options.providers.get(id);
    if (provider === undefined) {
      throw new HitchError('NOT_FOUND', `There is no network “${id}” here.`, { field: 'provider' });
    }
    if (provider.recording === undefined) {
      throw new HitchError(
        'CONFLICT',
        provider.notRentable ??
          `Nothing of ${provider.title} can be checked for real: it is on this computer.`,
        { field: 'provider' },
      );
    }
    return { provider, recording: provider.recording };
  }
}
