/**
 * What shells on a node read, as text. A login shell reads `/etc/profile`, which on many systems sets PATH anew, and the
 * user's own files, which may put another Python first. Nothing is written into these files: on practice they are those
 * of the person at this computer. Instead the shells that we start read them, and then what stands here.
 */

export interface ShellFacts {
  /** Where these files are. */
  readonly folder: string;
  /** The Python environment, and its programs. */
  readonly python: string;
  readonly bin: string;
  /** What each session gets besides. */
  readonly variables: Readonly<Record<string, string>>;
}

/** One word for a POSIX shell, whatever is in it. */
export const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** A path as the value of ENV or BASH_ENV, in which shells replace variables and commands. */
export const unexpanded = (path: string): string => path.replace(/[\\$`"]/g, '\\$&');

export const SESSION_FILE = 'session.sh';
export const LOGIN_FILE = 'login.sh';
export const SHELL_FILE = 'shell';

const WRITTEN = '# Written by Hitch for one cluster; changes are lost.';

/** By name below the folder; the one that is started, not read, is `shell`. */
export function shellFiles(facts: ShellFacts): Readonly<Record<string, string>> {
  const session = `. ${quoted(`${facts.folder}/${SESSION_FILE}`)}`;
  return {
    [SESSION_FILE]: sessionFile(facts),
    [LOGIN_FILE]: loginFile(session),
    [SHELL_FILE]: startFile(facts, session),
    bashrc: bashFile(session),
    shrc: [WRITTEN, 'unset ENV', session, ''].join('\n'),
    'zsh/.zshenv': zshFile('.zshenv'),
    'zsh/.zprofile': zshFile('.zprofile'),
    'zsh/.zshrc': zshFile('.zshrc'),
    'zsh/.zlogin': zshLast(session),
  };
}

/** At the beginning of a session, after everything else: the cluster's Python is the first. */
function sessionFile({ python, bin, variables }: ShellFacts): string {
  const lines = Object.entries(variables).map(([name, value]) => `export ${name}=${quoted(value)}`);
  return [
    WRITTEN,
    ...lines,
    `export VIRTUAL_ENV=${quoted(python)}`,
    'unset PYTHONHOME',
    'case "$PATH" in',
    `${quoted(bin)}|${quoted(bin)}:*) ;;`,
    `*) export PATH=${quoted(bin)}"\${PATH:+:$PATH}" ;;`,
    'esac',
    '',
  ].join('\n');
}

/**
 * What BASH_ENV names: bash reads it after the files of a login shell that runs one command (`bash -lc`). Every other bash
 * that runs a program reads it too, and keeps the PATH that it was given.
 */
const loginFile = (session: string): string =>
  [WRITTEN, `if shopt -q login_shell; then ${session}; fi`, ''].join('\n');

/** The user's login shell for a person, who may also be a program that writes to it. */
function startFile({ folder, python, bin }: ShellFacts, session: string): string {
  const path = (name: string): string => quoted(`${folder}/${name}`);
  return [
    '#!/bin/sh',
    WRITTEN,
    session,
    'SHELL="${SHELL:-/bin/sh}"',
    'export SHELL',
    'case "${SHELL##*/}" in',
    // Bash reads no file of ours as a login shell; where nobody types it reads BASH_ENV.
    `bash) if [ -t 0 ]; then exec "$SHELL" --rcfile ${path('bashrc')} -i; fi ;;`,
    `zsh) export HITCH_ZDOTDIR="\${ZDOTDIR:-$HOME}" ZDOTDIR=${path('zsh')} ;;`,
    `fish) exec "$SHELL" -l -C "set -gx VIRTUAL_ENV "${quoted(fish(python))}"; set -gx PATH "${quoted(fish(bin))}' $PATH' ;;`,
    // Others of the POSIX kind read what ENV names, after the profile.
    `*) export ENV=${quoted(unexpanded(`${folder}/shrc`))} ;;`,
    'esac',
    'exec "$SHELL" -l',
    '',
  ].join('\n');
}

const fish = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

/** What a login shell of bash reads, in its order. */
function bashFile(session: string): string {
  return [
    WRITTEN,
    '[ -r /etc/profile ] && . /etc/profile',
    'if [ -r ~/.bash_profile ]; then . ~/.bash_profile',
    'elif [ -r ~/.bash_login ]; then . ~/.bash_login',
    'elif [ -r ~/.profile ]; then . ~/.profile; fi',
    session,
    '',
  ].join('\n');
}

/** Zsh reads the files of the folder ZDOTDIR: each of ours reads the user's, which sees its own folder in ZDOTDIR. */
function zshFile(name: string): string {
  return [
    WRITTEN,
    'HITCH_OWN_ZDOTDIR=$ZDOTDIR',
    'ZDOTDIR=$HITCH_ZDOTDIR',
    // Where the system's own file has put the history beside what it took for the user's files.
    '[[ $HISTFILE == $HITCH_OWN_ZDOTDIR/* ]] && HISTFILE=$ZDOTDIR/.zsh_history',
    `[[ -r $ZDOTDIR/${name} ]] && . "$ZDOTDIR/${name}"`,
    'HITCH_ZDOTDIR=$ZDOTDIR',
    'ZDOTDIR=$HITCH_OWN_ZDOTDIR',
    '',
  ].join('\n');
}

function zshLast(session: string): string {
  return [
    WRITTEN,
    'ZDOTDIR=$HITCH_ZDOTDIR',
    'unset HITCH_ZDOTDIR HITCH_OWN_ZDOTDIR',
    '[[ -r $ZDOTDIR/.zlogin ]] && . "$ZDOTDIR/.zlogin"',
    '[[ $ZDOTDIR == $HOME ]] && unset ZDOTDIR',
    session,
    '',
  ].join('\n');
}
