/** How `ray start` is called. Pure: what goes in comes out, so that a test can read it whole. */
import type { AgentConfig, EngineConfig } from '@hitch/contract';
import { HitchError, PRACTICE_LABEL } from '@hitch/contract';
import type { RayPorts } from './ports.ts';

const OLDEST = [2, 52] as const;

/** @throws HitchError VERSION_MISMATCH below 2.52, which has no token authentication. */
export function checkRayVersion(version: string): void {
  const [major = 0, minor = 0] = version.split('.').map(part => Number.parseInt(part, 10));
  const old = major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1]);
  if (Number.isNaN(major) || Number.isNaN(minor) || old) {
    throw new HitchError(
      'VERSION_MISMATCH',
      `Ray ${version} is too old: before ${OLDEST.join('.')} anybody who reaches it may run code on it.`,
      { next: `Install ray[default] ${OLDEST.join('.')} or newer.` },
    );
  }
}

/**
 * On the loopback address everything of Ray's listens there alone, where nobody outside of the machine reaches it; on any
 * other most of it listens on every address of the machine.
 */
export const RAY_LOOPBACK = '127.0.0.1';

const isOnLoopback = ({ nodeAddress }: EngineConfig): boolean => nodeAddress === RAY_LOOPBACK;

/**
 * Ray 2.58 puts the machine's outer address in the place of a loopback address that it is given (`resolve_ip_for_localhost`
 * in `ray/_private/services.py`), unless its clusters are switched off, and then no worker may join
 * (`ENABLE_RAY_CLUSTER` in `ray/scripts/scripts.py`). Here several nodes share one machine and its loopback.
 */
const START_ON_LOOPBACK = [
  'from ray._private import ray_constants, services',
  'from ray.scripts import scripts',
  'ray_constants.ENABLE_RAY_CLUSTER = True',
  `services.get_node_ip_address = lambda address=None: "${RAY_LOOPBACK}"`,
  'scripts.main()',
].join('\n');

/** The same for drivers and for what Ray itself starts. The variable's name is Ray's; on Linux it does what it says, too. */
const STAY_ON_LOOPBACK = { RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER: '0' };

export function rayArguments(engine: EngineConfig, ports: RayPorts, temporaryFolder: string): string[] {
  const role =
    engine.role === 'head'
      ? [
          '--head',
          `--port=${ports.gcs.toString()}`,
          // Without this word Ray goes on without a dashboard when that takes long, and nobody could ask it anything.
          '--include-dashboard=true',
          '--dashboard-host=127.0.0.1',
          `--dashboard-port=${ports.dashboard.toString()}`,
          `--ray-client-server-port=${ports.client.toString()}`,
        ]
      : [`--address=${engine.headAddress ?? ''}`];
  return [
    ...(isOnLoopback(engine) ? ['-c', START_ON_LOOPBACK] : ['-m', 'ray.scripts.scripts']),
    'start',
    ...role,
    `--node-ip-address=${engine.nodeAddress}`,
    `--node-manager-port=${ports.nodeManager.toString()}`,
    `--object-manager-port=${ports.objectManager.toString()}`,
    `--runtime-env-agent-port=${ports.runtimeEnvAgent.toString()}`,
    `--dashboard-agent-listen-port=${ports.agentHttp.toString()}`,
    `--dashboard-agent-grpc-port=${ports.agentGrpc.toString()}`,
    `--metrics-export-port=${ports.metrics.toString()}`,
    `--min-worker-port=${ports.firstWorker.toString()}`,
    `--max-worker-port=${ports.lastWorker.toString()}`,
    `--temp-dir=${temporaryFolder}`,
    ...resourceArguments(engine),
    '--disable-usage-stats',
    '--log-color=false',
    '--block',
  ];
}

function resourceArguments(engine: EngineConfig): string[] {
  const labels = Object.entries(engine.labels).map(([name, value]) => `${name}=${labelValue(value)}`);
  const model = engine.gpuModel === null ? '' : labelValue(engine.gpuModel);
  return [
    ...(engine.numCpus === null ? [] : [`--num-cpus=${Math.max(1, Math.floor(engine.numCpus)).toString()}`]),
    ...(engine.numGpus === null ? [] : [`--num-gpus=${Math.floor(engine.numGpus).toString()}`]),
    ...(model === '' ? [] : [`--resources=${JSON.stringify({ [`accelerator_type:${model}`]: 1 })}`]),
    ...(labels.length === 0 ? [] : [`--labels=${labels.join(',')}`]),
  ];
}

/** Ray refuses label values with anything but letters, digits, `-`, `_`, `.` inside, and more than 63 characters. */
function labelValue(value: string): string {
  return value
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .slice(0, 63)
    .replace(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, '');
}

/**
 * A partitioned node is known to be gone after 9 s instead of 63. Practice nodes share one computer, where a busy
 * neighbour looks like a lost network, and no network can be lost: they get 45 s.
 */
function healthChecks(practice: boolean): Record<string, string> {
  return {
    RAY_health_check_initial_delay_ms: '2000',
    RAY_health_check_period_ms: '1000',
    RAY_health_check_timeout_ms: '2000',
    RAY_health_check_failure_threshold: practice ? '15' : '3',
  };
}

/**
 * Ray wants the same Python on all nodes to the third number (`check_version_info` in `ray/_private/utils.py`), unless it is told
 * that the second is enough: machines of a market have 3.12.3 and 3.12.11, which read each other's pickles.
 */
const SAME_MINOR_PYTHON = { RAY_DEFAULT_PYTHON_VERSION_MATCH_LEVEL: 'minor' };

/** What a driver, a kernel or the `ray` program needs to be let in; the token itself stays in its file. */
export function rayClientEnvironment(
  engine: EngineConfig,
  ports: RayPorts,
  tokenPath: string,
): Record<string, string> {
  const gcs = engine.role === 'head' ? `${engine.nodeAddress}:${ports.gcs.toString()}` : engine.headAddress;
  return {
    RAY_AUTH_MODE: 'token',
    RAY_AUTH_TOKEN_PATH: tokenPath,
    ...SAME_MINOR_PYTHON,
    ...(isOnLoopback(engine) ? STAY_ON_LOOPBACK : {}),
    ...(gcs === null ? {} : { RAY_ADDRESS: gcs }),
    ...(engine.role === 'head'
      ? { RAY_API_SERVER_ADDRESS: `http://127.0.0.1:${ports.dashboard.toString()}` }
      : {}),
  };
}

/** The environment of `ray start`, which every task and job inherits; hence the cluster's secrets. */
export function rayEnvironment(
  config: AgentConfig,
  engine: EngineConfig,
  ports: RayPorts,
  tokenPath: string,
  inherited: NodeJS.ProcessEnv,
): NodeJS.ProcessEnv {
  // A RAY_ADDRESS in the environment would send `ray start` to another cluster.
  const { RAY_ADDRESS: _otherCluster, ...rest } = inherited;
  return {
    ...rest,
    ...config.secrets,
    ...healthChecks(engine.labels[PRACTICE_LABEL] === 'true'),
    HITCH_NODE: config.ref,
    HITCH_PROGRAM: 'ray',
    // Ray renames its processes; without this the new title is written over the environment, and the tag with it.
    SPT_NOENV: '1',
    RAY_AUTH_MODE: 'token',
    RAY_AUTH_TOKEN_PATH: tokenPath,
    ...SAME_MINOR_PYTHON,
    ...(isOnLoopback(engine) ? STAY_ON_LOOPBACK : {}),
    AUTOSCALER_METRIC_PORT: ports.autoscalerMetrics.toString(),
    DASHBOARD_METRIC_PORT: ports.dashboardMetrics.toString(),
    // A busy machine takes longer than Ray would wait; the supervisor's own patience ends after these.
    RAY_DASHBOARD_STARTUP_TIMEOUT_S: '150',
    // Each of the dashboard's parts is a process for which it waits 30 s by itself (`dashboard/consts.py`), then ends.
    RAY_DASHBOARD_SUBPROCESS_MODULE_WAIT_READY_TIMEOUT: '120',
    RAY_raylet_start_wait_time_s: '150',
    PYTHONUNBUFFERED: '1',
  };
}
