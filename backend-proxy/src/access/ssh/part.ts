/** What the API (and nothing else) asks of the SSH side of the house. */
import type { ClusterId, SshAccess, SshCheck, SshConfigState } from '@hitch/contract';

/** Every method throws HitchError with a sentence. `file` is the user's ssh configuration; without one the usual. */
export interface SshPart {
  /** Answers from memory. @throws HitchError NOT_FOUND */
  access(id: ClusterId): SshAccess;
  /** What this computer's own ssh makes of the entry. @throws HitchError NOT_FOUND */
  check(id: ClusterId, file: string | undefined): Promise<SshCheck>;
  config(file: string | undefined): SshConfigState;
  include(file: string | undefined): Promise<SshConfigState>;
  exclude(file: string | undefined): Promise<SshConfigState>;
}
