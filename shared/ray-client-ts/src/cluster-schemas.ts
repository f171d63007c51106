/**
 * Shapes of the cluster routes.
 *
 * Hazard: the keys inside `data` of `cluster_status` (and of `/nodes`) are turned into camel case recursively,
 * *the user's own names included*: the resource `my_res` reads `myRes`, `node:__internal_head__` reads
 * `node:InternalHead`, `accelerator_type:H100` reads `acceleratorType:H100`. Take resource names from
 * `state.nodes`, whose keys are as they were given, whenever they are matched against something.
 */
import * as z from 'zod';
import { envelope, openEnum, resources } from './wire.ts';

/** `version` is the Jobs API's: 1 log streaming, 2 submission ids, 3 entrypoint resources, 4 DELETE. */
export const version = z.looseObject({
  version: z.string(),
  ray_version: z.string(),
  ray_commit: z.string(),
  session_name: z.string().optional(),
});
export type RayVersion = z.infer<typeof version>;

/** A shape of resources and how many of it are waiting. Names are camel-cased by Ray. */
const demand = z.tuple([resources, z.number()]);

const placementGroupDemand = z.looseObject({
  bundles: z.array(demand),
  strategy: openEnum<'PACK' | 'SPREAD' | 'STRICT_PACK' | 'STRICT_SPREAD'>(),
});

export const loadMetrics = z.looseObject({
  /** `[used, total]` by resource; bytes for memory. */
  usage: z.record(z.string(), z.tuple([z.number(), z.number()])).nullish(),
  /** Tasks and actors that wait for room. Label selectors are not shown; see `state.tasks`. */
  resourceDemand: z.array(demand).nullish(),
  pgDemand: z.array(z.tuple([placementGroupDemand, z.number()])).nullish(),
  requestDemand: z.array(demand).nullish(),
});

export const clusterStatus = z.looseObject({
  /** For a person. */
  autoscalingStatus: z.string().nullish(),
  autoscalingError: z.string().nullish(),
  /** Null for the first seconds of a cluster. */
  clusterStatus: z
    .looseObject({
      /** Unix seconds. */
      time: z.number().nullish(),
      loadMetricsReport: loadMetrics.nullish(),
    })
    .nullish(),
});
export type ClusterStatus = z.infer<typeof clusterStatus>;
export const clusterStatusReply = envelope(clusterStatus);

export const activity = z.looseObject({
  is_active: openEnum<'ACTIVE' | 'INACTIVE' | 'ERROR'>(),
  reason: z.string().nullish(),
  /** When this was observed. Unix seconds with a fraction. */
  timestamp: z.number(),
  /** When the component's last activity ended. Unix seconds; null when unknown or there was none. */
  last_activity_at: z.number().nullish(),
});
export type Activity = z.infer<typeof activity>;

/** By component: `driver`, and whatever hooks the cluster has. */
export const activities = z.record(z.string(), activity);
export type Activities = z.infer<typeof activities>;

export const clusterMetadata = z.looseObject({ rayVersion: z.string(), pythonVersion: z.string() });
export type ClusterMetadata = z.infer<typeof clusterMetadata>;
export const clusterMetadataReply = envelope(clusterMetadata);

export const authenticationMode = z.looseObject({ authentication_mode: openEnum<'disabled' | 'token'>() });
export type AuthenticationMode = z.infer<typeof authenticationMode>['authentication_mode'];
