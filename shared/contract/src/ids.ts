/** Ids: a short kind, an underscore and 26 characters of Crockford base 32 (a ULID), such as `clu_01J…`. */
import * as z from 'zod';

const id = <P extends string>(prefix: P) =>
  z
    .string()
    .regex(new RegExp(`^${prefix}_[0-9A-HJKMNP-TV-Z]{26}$`), `is not an id of the form ${prefix}_…`)
    .brand<P>();

export const clusterIdSchema = id('clu');
export const nodeIdSchema = id('nod');
export const attemptIdSchema = id('att');
export const quoteIdSchema = id('quo');
export const copyIdSchema = id('cop');
export const approvalIdSchema = id('apr');
export const jobIdSchema = id('job');
export type ClusterId = z.infer<typeof clusterIdSchema>;
export type NodeId = z.infer<typeof nodeIdSchema>;
export type AttemptId = z.infer<typeof attemptIdSchema>;
export type QuoteId = z.infer<typeof quoteIdSchema>;
export type CopyId = z.infer<typeof copyIdSchema>;
export type ApprovalId = z.infer<typeof approvalIdSchema>;
export type JobId = z.infer<typeof jobIdSchema>;
export type IdPrefix = 'clu' | 'nod' | 'att' | 'quo' | 'cop' | 'apr' | 'job';

/** A cluster's name: what people type and what stands in kernel names; unique among clusters not removed. */
export const clusterNameSchema = z
  .string()
  .regex(
    /^[a-z][a-z0-9-]{0,38}[a-z0-9]$/,
    'must be 2 to 40 lower-case letters, digits or hyphens, start with a letter and not end with a hyphen',
  );

/** A job's name: what people type; unique among the jobs of a Hitch. */
export const jobNameSchema = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9-]{0,58}[a-z0-9]$|^[a-z0-9]$/,
    'must be 1 to 60 lower-case letters, digits or hyphens, and neither start nor end with a hyphen',
  );
