/**
 * Control groups, where Linux lets us have them: a process cannot leave its node's group by starting a session,
 * forking twice or clearing its environment. Where they are not permitted the tag alone does the work.
 */
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { REF } from './process-table.ts';

/** Makes an empty group for `ref`. @returns its folder, or null where that is not permitted. */
export function createCgroup(ref: string): string | null {
  const parent = process.platform === 'linux' ? usableParent() : null;
  if (parent === null) {
    return null;
  }
  const folder = join(parent, ref);
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(procsFile(folder), constants.W_OK);
    return folder;
  } catch {
    return null;
  }
}

/** The file that takes a process into the group when its pid is written there. */
export function procsFile(folder: string): string {
  return join(folder, 'cgroup.procs');
}

export function cgroupPids(folder: string): readonly number[] {
  try {
    return readFileSync(procsFile(folder), 'utf8').split('\n').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

/** Ends everything in the group at once, where the kernel can (version 2, Linux 5.14). @returns whether it could. */
export function killCgroup(folder: string): boolean {
  const kill = join(folder, 'cgroup.kill');
  // A path that was tampered with must not become somebody else's group.
  if (!REF.test(basename(folder)) || !existsSync(kill)) {
    return false;
  }
  try {
    writeFileSync(kill, '1');
    return true;
  } catch {
    return false;
  }
}

/** @returns whether it is gone; a group with processes stays. */
export function removeCgroup(folder: string): boolean {
  try {
    rmdirSync(folder);
    return true;
  } catch {
    return !existsSync(folder);
  }
}

let parentFolder: string | null | undefined;

function usableParent(): string | null {
  parentFolder ??=
    findParents(readOr('/proc/self/mountinfo'), readOr('/proc/self/cgroup')).find(canHold) ?? null;
  return parentFolder;
}

/** Whether a group can be made under `parent` and this process may put its children there. */
function canHold(parent: string): boolean {
  const probe = join(parent, `hitch-probe-${process.pid.toString()}`);
  try {
    // Moving a process needs the right to write to the common ancestor too.
    accessSync(procsFile(parent), constants.W_OK);
    mkdirSync(probe);
    accessSync(procsFile(probe), constants.W_OK);
    return true;
  } catch {
    return false;
  } finally {
    removeCgroup(probe);
  }
}

/**
 * This process's own groups, best first: version 2 (which can kill), then a version 1 hierarchy that is only a list.
 * A daemon that itself lives on a node takes the group beside that node's, so that the one's end is not the other's.
 */
export function findParents(mountInfo: string, ownGroups: string): string[] {
  const mounts = mountInfo.split('\n').flatMap(line => {
    const [left, right] = line.split(' - ');
    const [, , , root, mountPoint] = (left ?? '').split(' ');
    const [type, , options] = (right ?? '').split(' ');
    return root === undefined || mountPoint === undefined || type === undefined
      ? []
      : [{ root, mountPoint, type, options: (options ?? '').split(',') }];
  });
  const own = ownGroups.split('\n').flatMap(line => {
    const [, hierarchy, controllers, path] = /^(\d+):([^:]*):(.*)$/.exec(line) ?? [];
    return path === undefined ? [] : [{ hierarchy, controllers: (controllers ?? '').split(','), path }];
  });
  const folderOf = (mount: { root: string; mountPoint: string } | undefined, path: string | undefined) => {
    if (mount === undefined || path === undefined || path.includes('/..')) {
      return [];
    }
    const below = mount.root !== '/' && path.startsWith(mount.root) ? path.slice(mount.root.length) : path;
    const folder = join(mount.mountPoint, below);
    return [REF.test(basename(folder)) ? dirname(folder) : folder];
  };
  const version2 = folderOf(
    mounts.find(({ type }) => type === 'cgroup2'),
    own.find(({ hierarchy }) => hierarchy === '0')?.path,
  );
  const version1 = ['freezer', 'pids'].flatMap(controller =>
    folderOf(
      mounts.find(({ type, options }) => type === 'cgroup' && options.includes(controller)),
      own.find(({ controllers }) => controllers.includes(controller))?.path,
    ),
  );
  return [...version2, ...version1];
}

function readOr(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
