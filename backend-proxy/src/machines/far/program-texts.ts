/**
 * The programs for far machines, as text; they lie in `backend-proxy/far`. Sources read them there; the bundler
 * puts each text in the place of the call that reads it (scripts/bundle/texts.mjs), so that a bundle carries them.
 */
import { readFileSync } from 'node:fs';

const textOf = (file: string): string => readFileSync(new URL(file, import.meta.url), 'utf8');

const COMMON = textOf('../../../far/common.sh');

const UNIT = textOf('../../../far/unit.sh');

const FETCHER = textOf('../../../far/fetcher.sh');

const CLOSED = textOf('../../../far/closed.sh');

const program = (...own: readonly string[]): string => [COMMON, ...own].join('\n');

export const LOOK = program(textOf('../../../far/look.sh'));

export const PREPARE = program(textOf('../../../far/prepare.sh'));

export const READY = program(textOf('../../../far/ready.sh'));

export const REACH = program(textOf('../../../far/reach.sh'));

export const USES = program(textOf('../../../far/uses.sh'));

export const LAUNCH = program(textOf('../../../far/launch.sh'));

export const CANCEL = program(textOf('../../../far/cancel.sh'));

export const FOLLOW = program(textOf('../../../far/follow.sh'));

export const BOOTSTRAP = program(FETCHER, textOf('../../../far/bootstrap.sh'));

export const START = program(UNIT, textOf('../../../far/start.sh'));

export const CLOSE = program(CLOSED, textOf('../../../far/close.sh'));

export const LOOP = program(CLOSED, textOf('../../../far/loop.sh'));

export const LOG = program(textOf('../../../far/log.sh'));

export const END = program(UNIT, CLOSED, textOf('../../../far/end.sh'));

export const CLEAN = program(CLOSED, textOf('../../../far/clean.sh'));

export const PROVE = program(textOf('../../../far/prove.sh'));

export const AUTHORIZE = program(textOf('../../../far/authorize.sh'));

export const FETCH = textOf('../../../far/fetch.py');

const SPEED = textOf('../../../far/speed.sh');

/** Measures what comes in, with the program that fetches beside it: one call, and nothing is put there first. */
export const SPEED_IN = program(
  FETCHER,
  'read_values',
  `mkdir -p "$ROOT/bootstrap" && cat >"$ROOT/bootstrap/fetch.py" <<'::end'\n${FETCH}::end`,
  SPEED,
);

/** ROOT and WAY are set before. */
export const SPEED_OUT = program(SPEED);

export const SPEED_KEEP = program('read_values', SPEED);

/** What starts a machine that only a web address leads to, with the program at its door in it. */
export const WEB_DOOR = textOf('../../../far/web-door.sh').replace('@DOOR@\n', () =>
  textOf('../../../far/web-door.py'),
);

/** Runs on this computer. */
export const GATHER = textOf('../../../far/gather.py');
