/** What a job's environment gets so that its figures can be read with its program unchanged; whatever is set already stays. */
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { MlflowAccess } from './mlflow-server.ts';

export interface MetricVariablesOptions {
  /** What the job gets otherwise: the machine's own, the cluster's, the person's. */
  readonly given: Readonly<Record<string, string | undefined>>;
  /** Null: it could not listen. */
  readonly mlflow: MlflowAccess | null;
  readonly trackioFolder: string;
}

/** Those that a job's programs on other nodes get too: there they would ask for a login, or say nothing. */
export const ON_EVERY_NODE: readonly string[] = ['WANDB_MODE', 'RAY_DEDUP_LOGS'];

export function metricVariables({
  given,
  mlflow,
  trackioFolder,
}: MetricVariablesOptions): Record<string, string> {
  const isGiven = (...names: readonly string[]): boolean => names.some(name => given[name] !== undefined);
  const isLoggedInToWandb =
    isGiven('WANDB_API_KEY', 'WANDB_MODE', 'WANDB_BASE_URL') || hasLogin(given['HOME'] ?? homedir());
  return {
    // Ray leaves out lines that it printed before, figures among them.
    ...(isGiven('RAY_DEDUP_LOGS') ? {} : { RAY_DEDUP_LOGS: '0' }),
    ...(isLoggedInToWandb ? {} : { WANDB_MODE: 'offline' }),
    ...(isGiven('TRACKIO_DIR') ? {} : { TRACKIO_DIR: trackioFolder }),
    ...(mlflow === null || isGiven('MLFLOW_TRACKING_URI', 'MLFLOW_RUN_ID')
      ? {}
      : {
          MLFLOW_TRACKING_URI: mlflow.uri,
          MLFLOW_TRACKING_TOKEN: mlflow.token,
          MLFLOW_RUN_ID: mlflow.runId,
        }),
  };
}

/** `wandb login` writes its key there (wandb/sdk/lib/wbauth). */
function hasLogin(home: string): boolean {
  const path = join(home, '.netrc');
  try {
    return existsSync(path) && readFileSync(path, 'utf8').includes('wandb.ai');
  } catch {
    return false;
  }
}
