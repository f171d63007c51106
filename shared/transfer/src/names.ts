/**
 * Names of files as bytes. A path is a string whose bytes that are no UTF-8 stand as lone surrogates U+DC80 to U+DCFF
 * (the "surrogateescape" of PEP 383), so that it travels in JSON and comes back as the very bytes it was.
 */
import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';

/** The longest name that the common file systems take, in bytes. */
const LONGEST_NAME = 255;
/** What follows the last dot of a longer name than that is no extension. */
const LONGEST_EXTENSION = 64;
/** Names that Windows gives to devices in every folder, with or without an extension. */
const WINDOWS_DEVICES = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(?:\..*)?$/i;
const NOT_ON_WINDOWS = /[<>:"|?*\\\u0000-\u001f]|[. ]$/g;

/** How many bytes the UTF-8 sequence with this first byte has. */
function sequenceLength(first: number): number {
  if (first < 0x80) {
    return 1;
  }
  return first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
}

/** A name as a directory holds it, as a string. */
export function decodeName(bytes: Buffer): string {
  if (isUtf8(bytes)) {
    return bytes.toString('utf8');
  }
  let name = '';
  for (let at = 0; at < bytes.length;) {
    const first = bytes[at] ?? 0;
    const sequence = bytes.subarray(at, at + sequenceLength(first));
    if (isUtf8(sequence)) {
      name += sequence.toString('utf8');
      at += sequence.length;
    } else {
      name += String.fromCharCode(0xdc00 + first);
      at += 1;
    }
  }
  return name;
}

/** The path for a file-system call: a string where that says it all, else its bytes. */
export function encodePath(path: string): string | Buffer {
  if (path.isWellFormed()) {
    return path;
  }
  const parts: Buffer[] = [];
  for (const character of path) {
    const code = character.codePointAt(0) ?? 0;
    parts.push(code >= 0xdc80 && code <= 0xdcff ? Buffer.from([code - 0xdc00]) : Buffer.from(character));
  }
  return Buffer.concat(parts);
}

const percent = (byte: number): string => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;

/** A path for people and for JSON: bytes that are no UTF-8 as `%XX`. */
export const plainPath = (path: string): string =>
  path.isWellFormed()
    ? path
    : path.replace(/[\ud800-\udbff][\udc00-\udfff]|[\udc80-\udcff]/g, found =>
        found.length === 2 ? found : percent(found.charCodeAt(0) - 0xdc00),
      );

/** The other way round: what `%80` to `%FF` may have been. */
export const escapedBytes = (path: string): string =>
  path.replace(/%([89A-F][0-9A-F])/g, (_, byte: string) =>
    String.fromCharCode(0xdc00 + Number.parseInt(byte, 16)),
  );

/**
 * The name under which a file is stored here: its own, or an escaped one where the system has no such name. That one has
 * a mark made of the name as it was, because without it it might be another file's own.
 */
export function storableName(name: string, platform: NodeJS.Platform): string {
  const escaped = storableCharacters(plainPath(name), platform);
  return escaped === name && Buffer.byteLength(name) <= LONGEST_NAME
    ? name
    : marked(escaped, `~${short(name)}`);
}

function storableCharacters(name: string, platform: NodeJS.Platform): string {
  if (platform !== 'win32') {
    return name;
  }
  const escaped = name.replace(NOT_ON_WINDOWS, found => percent(found.charCodeAt(0)));
  return WINDOWS_DEVICES.test(escaped) ? percent(escaped.charCodeAt(0)) + escaped.slice(1) : escaped;
}

/** @returns the path with each of its names storable. */
export function storablePath(path: string, platform: NodeJS.Platform): string {
  if (platform !== 'win32' && path.isWellFormed() && path.length <= LONGEST_NAME / 4) {
    return path;
  }
  return path
    .split('/')
    .map(name => storableName(name, platform))
    .join('/');
}

/** `notes (2026-11-29 12.30.05).md`: the name that something in the way gets; `number` tells apart those of one moment. */
export const datedName = (name: string, stamp: string, number: number): string =>
  marked(name, ` (${stamp}${number === 0 ? '' : ` ${number.toString()}`})`);

/** The name with a mark before its extension, no longer than a name may be. */
function marked(name: string, mark: string): string {
  const dot = name.lastIndexOf('.');
  const isExtension = dot > 0 && Buffer.byteLength(name.slice(dot)) <= LONGEST_EXTENSION;
  const stem = isExtension ? name.slice(0, dot) : name;
  const extension = isExtension ? name.slice(dot) : '';
  const room = LONGEST_NAME - Buffer.byteLength(mark) - Buffer.byteLength(extension);
  return cutTo(stem, room) + mark + extension;
}

function cutTo(text: string, most: number): string {
  const bytes = Buffer.from(text);
  return bytes.length <= most
    ? text
    : bytes
        .subarray(0, most)
        .toString('utf8')
        .replace(/\ufffd+$/, '');
}

/** What lies beside a file while it arrives. Such names are ours and never copied. */
const PART = /^\.hitch-[0-9a-f]{16}\.part$/;
export const isPartName = (name: string): boolean => PART.test(name);

const short = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 8);

/** The part of one version of a file; those of its other versions begin the same. */
export const partName = (name: string, version: string): string => `${partStem(name)}${short(version)}.part`;
export const partStem = (name: string): string => `.hitch-${short(name)}`;
const SMALL_PART = `${short('small')}.part`;
/** The part of a file that is written in one go, whatever its version. */
export const smallPartName = (name: string): string => partStem(name) + SMALL_PART;
