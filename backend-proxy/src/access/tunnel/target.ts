/** Which machine, and how `ssh` is told of it. */

export interface FarTarget {
  /** What tells it from others of its name; left out: its name does. */
  readonly id?: string;
  /** What a person calls it. */
  readonly name: string;
  /** What `ssh` is given: a name of its configuration, or `user@host`. */
  readonly destination: string;
  /** Settings (`Port=22`) that stand before those of the configuration. */
  readonly settings: readonly string[];
  /** The configuration; null: the user's own. */
  readonly configFile: string | null;
  /** Whichever key answers is written into its list of known machines, and looked at before anything else is sent. */
  readonly isFirst?: boolean;
  /** How long its first word may take; left out: 15 s. */
  readonly connectTimeoutS?: number;
  /** Nobody can try the way there in a terminal. */
  readonly isRented?: boolean;
}

/** By which the ways that are open are told apart. */
export const idOf = ({ id, name }: FarTarget): string => id ?? name;

/** Whatever a configuration says, Hitch asks nobody, forwards nothing of the user's and runs its own programs. */
const OURS = [
  'BatchMode=yes',
  'ServerAliveInterval=5',
  'ServerAliveCountMax=3',
  'TCPKeepAlive=no',
  'UpdateHostKeys=no',
  'ForwardAgent=no',
  'ForwardX11=no',
  'ForwardX11Trusted=no',
  'PermitLocalCommand=no',
  'RemoteCommand=none',
  'Tunnel=no',
  // What it says is read.
  'LogLevel=INFO',
  'VisualHostKey=no',
];

/** Programs get no terminal (`-T`), also where a configuration asks for one. */
export function sshArgs(target: FarTarget, extra: readonly string[] = []): string[] {
  // A key that nobody has said yes to is a question, never a silent yes.
  const check = `StrictHostKeyChecking=${target.isFirst === true ? 'accept-new' : 'yes'}`;
  const timeout = `ConnectTimeout=${(target.connectTimeoutS ?? 15).toString()}`;
  const settings = [...OURS, timeout, check, ...target.settings].flatMap(setting => ['-o', setting]);
  const config = target.configFile === null ? [] : ['-F', target.configFile];
  return [...config, '-T', ...settings, ...extra, '--', target.destination];
}

/**
 * Over a connection that is open already. Without it `ssh` would dial by itself, past everything that `sshArgs` says:
 * a program that fails stands in the way of that.
 */
export function sshArgsOver(controlPath: string, extra: readonly string[] = []): string[] {
  const settings = ['BatchMode=yes', 'ControlMaster=no', 'ProxyCommand=false', 'LogLevel=INFO'];
  return [
    ...['-F', 'none', '-T', '-S', controlPath],
    ...settings.flatMap(setting => ['-o', setting]),
    ...extra,
    ...['--', 'hitch-far'],
  ];
}
