/** One engine for every copy of files between this computer and a machine. */
export { DiskThread } from './thread/disk-thread.ts';
export { copyTree, type CopyHost } from './copy.ts';
export type { CopyPlan } from './copy-plan.ts';
export type { Totals } from './totals.ts';
export { DiskSource } from './disk-source.ts';
export { DiskTarget } from './disk-target.ts';
export { type Entry, type Listed, SMALL_BYTES, type WalkRules } from './entry.ts';
export { ignoresOf } from './ignore-text.ts';
export { decodeName, encodePath, plainPath } from './names.ts';
export { openRegular } from './regular-file.ts';
export { RemoteSide, type SendTransfer, type TransferAnswer } from './remote.ts';
export { FETCH_RULES, SEND_RULES, withoutRules } from './rules.ts';
export { transferRoute } from './serve.ts';
export type { Source, Target } from './sides.ts';
