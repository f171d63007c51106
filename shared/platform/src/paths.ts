/** Where Hitch keeps things: `HITCH_HOME`, or `~/.hitch`. */
import { homedir, tmpdir } from 'node:os';
import { createHash } from 'node:crypto';
import { join, resolve } from 'node:path';

export interface Home {
  readonly root: string;
  readonly discovery: string;
  readonly store: string;
  /** Every purchase that is not confirmed gone, outside of the store. */
  readonly purchases: string;
  /** What the last daemon knew of the time. */
  readonly clock: string;
  /** Room that is given back when the disk is full. */
  readonly reserve: string;
  readonly logs: string;
  readonly saved: string;
  /** What copies of files remember while they go on. */
  readonly copies: string;
  /** What is kept of the logs of jobs. */
  readonly jobs: string;
  readonly machines: string;
  /** What networks offered last, a file for each. */
  readonly offers: string;
  readonly python: string;
  /** Environments of clusters on this computer, a folder for each lock. */
  readonly environments: string;
  /** The locks of clusters, wherever they run. */
  readonly locks: string;
  readonly secrets: string;
  /** The user's own templates, a folder each. */
  readonly templates: string;
  /** Those that come with Hitch, laid out as folders. */
  readonly shippedTemplates: string;
  /** Those that were added from elsewhere, each in a folder that its digest names. */
  readonly sharedTemplates: string;
  /** What they were when a person agreed to them. */
  readonly templateLock: string;
  /** Whose signature counts, as ssh-keygen(1) describes it. */
  readonly signers: string;
  /** What a team allows; there is none as a rule. */
  readonly policy: string;
  /** What templates there are; made anew where it is missing. */
  readonly templateIndex: string;
  /** What is usually rented, once a person has changed it. */
  readonly presets: string;
  /** Tokens that open a cluster to other programs. */
  readonly clusterUrls: string;
  /** Who is logged in where; the values lie in the keychain where there is one. */
  readonly logins: string;
  /** What `ssh` reads: configuration, pinned host keys, a key a cluster, and the program it speaks through. */
  readonly ssh: string;
  /** Short folder for sockets: a Unix socket's path may have no more than 103 bytes on macOS. */
  readonly sockets: string;
}

export function homeAt(root: string): Home {
  const absolute = resolve(root);
  const short = createHash('sha256').update(absolute).digest('hex').slice(0, 10);
  return {
    root: absolute,
    discovery: join(absolute, 'daemon.json'),
    store: join(absolute, 'hitch.db'),
    purchases: join(absolute, 'purchases.jsonl'),
    clock: join(absolute, 'clock.json'),
    reserve: join(absolute, 'reserve'),
    logs: join(absolute, 'logs'),
    saved: join(absolute, 'saved'),
    copies: join(absolute, 'copies'),
    jobs: join(absolute, 'jobs'),
    machines: join(absolute, 'machines'),
    offers: join(absolute, 'offers'),
    python: join(absolute, 'python'),
    environments: join(absolute, 'envs'),
    locks: join(absolute, 'locks'),
    secrets: join(absolute, 'secrets.json'),
    templates: join(absolute, 'templates'),
    shippedTemplates: join(absolute, 'shipped-templates'),
    sharedTemplates: join(absolute, 'shared-templates'),
    templateLock: join(absolute, 'templates.lock'),
    signers: join(absolute, 'allowed_signers'),
    policy: join(absolute, 'policy.yaml'),
    templateIndex: join(absolute, 'templates.json'),
    presets: join(absolute, 'presets.yaml'),
    clusterUrls: join(absolute, 'cluster-urls.json'),
    logins: join(absolute, 'logins.json'),
    ssh: join(absolute, 'ssh'),
    sockets: join(tmpdir(), `hitch-${short}`),
  };
}

export function homeFromEnvironment(environment: NodeJS.ProcessEnv = process.env): Home {
  const named = environment['HITCH_HOME'];
  return homeAt(named === undefined || named === '' ? join(homedir(), '.hitch') : named);
}
