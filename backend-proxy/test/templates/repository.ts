/** Repositories with a template in them, as people make them, and the way by which git reads them. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export const YAML = `schema: hitch-template/1
name: hf-lora
version: 1.2.0
title: Fine-tune with LoRA
description: A template of the tests.
parameters:
  steps: {type: integer, default: 20}
limits: {perHour: "$1.50", total: "$12", time: 12h}
run: {command: [python, train.py, --steps, "\${{ params.steps }}"]}
`;

export const FILES = { 'hitch.yaml': YAML, 'train.py': 'print("loss: 1")\n' };

export class Repository {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
    mkdirSync(folder, { recursive: true });
    this.git('init', '--quiet', '--initial-branch=main');
    this.git('config', 'user.name', 'ML platform');
    this.git('config', 'user.email', 'ml@example.org');
    // What somebody else's settings would do to the bytes or the commits of this test.
    this.git('config', 'core.autocrlf', 'false');
    this.git('config', 'commit.gpgsign', 'false');
    this.git('config', 'tag.gpgsign', 'false');
  }

  git(...args: readonly string[]): string {
    return execFileSync('git', args, { cwd: this.folder, encoding: 'utf8', stdio: ['pipe', 'pipe', 'pipe'] });
  }

  put(files: Readonly<Record<string, string | Uint8Array>>): void {
    for (const [path, content] of Object.entries(files)) {
      const place = join(this.folder, path);
      mkdirSync(dirname(place), { recursive: true });
      writeFileSync(place, content);
    }
  }

  commit(files: Readonly<Record<string, string | Uint8Array>>, tag?: string): string {
    this.put(files);
    this.git('add', '--all');
    this.git('commit', '--quiet', '--allow-empty', '-m', 'A version');
    if (tag !== undefined) {
      this.git('tag', '--force', tag);
    }
    return this.git('rev-parse', 'HEAD').trim();
  }

  /**
   * An entry that no checkout here would make, such as a link or a path that leads elsewhere, put into the tree itself.
   * @param mode as git writes it: `120000` is a link, `160000` another repository.
   */
  commitRaw(entries: readonly { mode: string; path: string; content: string }[], tag: string): void {
    const lines = entries.map(({ mode, path, content }) => {
      const id =
        mode === '160000'
          ? '0123456789abcdef0123456789abcdef01234567'
          : execFileSync('git', ['hash-object', '-w', '--stdin'], {
              cwd: this.folder,
              input: content,
              encoding: 'utf8',
            }).trim();
      return `${mode} ${mode === '160000' ? 'commit' : 'blob'} ${id}\t${path}`;
    });
    const tree = execFileSync('git', ['mktree', '--missing', '-z'], {
      cwd: this.folder,
      input: lines.map(line => `${line}\0`).join(''),
      encoding: 'utf8',
    }).trim();
    const commit = this.git('commit-tree', tree, '-m', 'Raw').trim();
    this.git('tag', '--force', tag, commit);
  }
}

/**
 * In the place of `ssh` for git: what OpenSSH does with a command is that sshd gives it to the user's shell as it stands
 * (session.c, do_child), with the streams of the connection. This one does so without the connection.
 */
export function standInSsh(folder: string): string {
  const place = join(folder, 'ssh');
  writeFileSync(
    place,
    [
      '#!/bin/sh',
      // git asks which kind of ssh it is with -G (connect.c, determine_ssh_variant).
      '[ "$1" = -G ] && exit 0',
      'for last; do :; done',
      'exec sh -c "$last"',
      '',
    ].join('\n'),
  );
  chmodSync(place, 0o755);
  return place;
}
