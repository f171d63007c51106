/**
 * Whether sshd can give terminals here. It hands each to the account and to the group `tty`, and ends the connection
 * where it may not: for an account that is not root, that depends on how the machine's /dev/pts was mounted. Containers
 * of high-performance clusters mount it without that group.
 */
import { chownSync, closeSync, constants, openSync, readFileSync, statSync } from 'node:fs';

export interface TerminalFacts {
  readonly userId: number | undefined;
  readonly groupFile: string;
  readonly handOver: (path: string, userId: number, groupId: number) => void;
}

export function givesTerminals(facts: Partial<TerminalFacts> = {}): boolean {
  const { userId = process.getuid?.(), groupFile = '/etc/group', handOver = chownSync } = facts;
  const groupId = terminalGroup(groupFile);
  if (userId === undefined || userId === 0 || groupId === null) {
    return true;
  }
  let terminal: number | undefined;
  try {
    terminal = openSync('/dev/ptmx', constants.O_RDWR | constants.O_NOCTTY);
    const path = otherEnd(terminal);
    if (path !== null && statSync(path).gid !== groupId) {
      handOver(path, userId, groupId);
    }
    return true;
  } catch {
    return false;
  } finally {
    if (terminal !== undefined) {
      closeSync(terminal);
    }
  }
}

function terminalGroup(groupFile: string): number | null {
  try {
    const id = /^tty:[^:]*:(\d+):/m.exec(readFileSync(groupFile, 'utf8'))?.[1];
    return id === undefined ? null : Number(id);
  } catch {
    return null;
  }
}

/** Kernels that do not tell are taken for ordinary. */
function otherEnd(terminal: number): string | null {
  const told = readFileSync(`/proc/self/fdinfo/${terminal.toString()}`, 'utf8');
  const index = /^tty-index:\s*(\d+)$/m.exec(told)?.[1];
  return index === undefined ? null : `/dev/pts/${index}`;
}
