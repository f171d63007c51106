/** The extension's door. Thin: what is known comes from the daemon, what is shown from the features. */
import { keepLoopbackDirect } from '@hitch/platform/src/loopback.ts';
import type * as vscode from 'vscode';
import { type Features, startFeatures } from './vscode/start.ts';

/** What a test asks for; no other extension should lean on it. */
export interface Exported {
  readonly features: Features;
  readonly activationMs: number;
}

export async function activate(context: vscode.ExtensionContext): Promise<Exported> {
  const beganMs = performance.now();
  keepLoopbackDirect();
  const features = startFeatures(context);
  const activationMs = performance.now() - beganMs;
  // A restored notebook’s Jupyter waits for this promise and looks for its server right after it.
  await features.kernel?.atActivation;
  // A restored remote window’s ssh starts right after it, and finds its way through the daemon.
  await features.workspace?.atActivation;
  return { features, activationMs };
}
