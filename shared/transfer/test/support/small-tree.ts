/** Small trees that can be read in a test as they are written there. */
import { mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { encodePath } from '../../src/names.ts';
import { below, bytesOfFile, linkTextOf, lstatOf, pathsIn } from './disk-view.ts';

/** By path: a file’s content, `→ where` for a link; a path that ends with `/` is a folder. */
export type SmallTree = Readonly<Record<string, string | Buffer>>;

const LINK = '→ ';
const WRITTEN_S = 1_700_000_000;

/** All files of a tree are of one time, so that what has the same content may be the same. */
export function makeTree(folder: string, tree: SmallTree, writtenS = WRITTEN_S): void {
  mkdirSync(encodePath(folder), { recursive: true });
  for (const [path, content] of Object.entries(tree)) {
    const at = below(folder, path);
    mkdirSync(encodePath(dirname(at)), { recursive: true });
    if (path.endsWith('/')) {
      mkdirSync(encodePath(at), { recursive: true });
    } else if (typeof content === 'string' && content.startsWith(LINK)) {
      symlinkSync(encodePath(content.slice(LINK.length)), encodePath(at));
    } else {
      writeFileSync(encodePath(at), content);
      utimesSync(encodePath(at), writtenS, writtenS);
    }
  }
}

/** What is in a folder, in the same words; long content by its length. */
export function readTree(folder: string): Record<string, string> {
  const tree: Record<string, string> = {};
  for (const path of pathsIn(folder).sort()) {
    const at = below(folder, path);
    const stats = lstatOf(at);
    if (stats?.isSymbolicLink() === true) {
      tree[path] = `${LINK}${linkTextOf(at)}`;
    } else if (stats?.isDirectory() === true) {
      if (path !== '' && pathsIn(at).length === 1) {
        tree[`${path}/`] = '';
      }
    } else {
      const content = bytesOfFile(at);
      tree[path] = content.length > 1_000 ? `${content.length.toString()} bytes` : content.toString();
    }
  }
  return tree;
}
