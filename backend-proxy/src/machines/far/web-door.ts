/**
 * A machine that the world reaches by a web address alone (`https://…`): what it has to run to be let in there by ssh. The
 * door's own program is `far/web-door.py`; this computer's end is `hitch ws-connect`.
 */
import { WEB_DOOR } from './program-texts.ts';

/** Where the door listens, on the machine: the port that its network is to put on the web. */
export const WEB_DOOR_PORT = 8022;

export interface WebDoorCommand {
  /** A shell program, for `sh -c`. */
  readonly program: string;
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * What a container runs first. Its image has a shell, sshd and python3, or is Debian-like and has apt.
 * @param publicKey what is let in, as OpenSSH writes it
 * @param secret in hex; it proves the host key, and the door's token is made of it
 */
export const webDoorCommand = (publicKey: string, secret: string): WebDoorCommand => ({
  program: WEB_DOOR,
  environment: { SSH_PUBKEY: publicKey, HITCH_PROOF: secret },
});

/**
 * The same program in letters and digits: networks put what a container runs into templates of their own, which read something
 * into `$` and braces. The image needs `base64` beside a shell. The shell that runs it stays the first process.
 */
export const withoutSigns = (program: string): string =>
  `eval "$(printf %s ${Buffer.from(program, 'utf8').toString('base64')} | base64 -d)"`;
