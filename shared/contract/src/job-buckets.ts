/** A bucket that a job's checkpoints are kept in: by addresses that are signed here, so that no machine gets a key. */
import * as z from 'zod';
import { saidAmount, saidMoment, saidName, saidSentence } from './said.ts';

/** Stored secrets that addresses are signed with; they leave this computer for no machine. */
export const BUCKET_KEY_ID = 'AWS_ACCESS_KEY_ID';
export const BUCKET_KEY = 'AWS_SECRET_ACCESS_KEY';

/** A checkpoint goes there in pieces of so many bytes, and in no more of them: one that is larger is not kept there. */
export const BUCKET_PIECE_BYTES = 256 * 1024 * 1024;
export const MOST_BUCKET_PIECES = 256;

export const jobBucketSchema = z.object({
  /** `s3://bucket` or `s3://bucket/prefix`. */
  url: z
    .string()
    .max(500)
    .regex(
      /^s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?:\/[A-Za-z0-9][A-Za-z0-9._-]*)*\/?$/,
      'must be like s3://bucket/prefix',
    ),
  /** Of a service that is not Amazon's, such as `https://s3.example.org`; null: Amazon’s in that region. */
  endpoint: z
    .url({ protocol: /^https?$/ })
    .max(500)
    .nullable()
    .default(null),
  region: z
    .string()
    .regex(/^[a-z0-9-]{1,40}$/, 'must be like eu-central-1')
    .default('us-east-1'),
});
export type JobBucket = z.infer<typeof jobBucketSchema>;

/** The newest checkpoint there, as its machine listed it last. */
export const bucketCheckpointSchema = z.object({
  name: saidName,
  files: saidAmount.int(),
  bytes: saidAmount.int(),
  writtenAtMs: saidMoment,
  /** When all of it was there, by the machine's clock. */
  keptAtMs: saidMoment,
  /** Where all of it lies, `s3://…`. */
  folder: z.string(),
});
export type BucketCheckpoint = z.infer<typeof bucketCheckpointSchema>;

/** How a job stands with its bucket. */
export const bucketStandSchema = z.object({
  url: z.string(),
  checkpoint: bucketCheckpointSchema.nullable(),
  /** Why the newest is not there, as a sentence; '' as a rule. */
  message: saidSentence,
});
