/** Ray's ports. All of one node lie in one block, so that several nodes of several clusters fit on one machine. */

export interface RayPorts {
  readonly gcs: number;
  readonly dashboard: number;
  readonly client: number;
  readonly nodeManager: number;
  readonly objectManager: number;
  readonly runtimeEnvAgent: number;
  readonly agentHttp: number;
  readonly agentGrpc: number;
  readonly metrics: number;
  readonly autoscalerMetrics: number;
  readonly dashboardMetrics: number;
  readonly firstWorker: number;
  readonly lastWorker: number;
}

const BLOCK = 150;
const FIRST_WORKER_OFFSET = 20;

/** The ports inside the block that begins at `base`; null: those Ray's documents name, for a machine of our own. */
export function rayPorts(base: number | null): RayPorts {
  if (base === null) {
    return {
      gcs: 6379,
      dashboard: 8265,
      client: 10001,
      nodeManager: 6380,
      objectManager: 6381,
      runtimeEnvAgent: 6382,
      agentHttp: 52365,
      agentGrpc: 52366,
      metrics: 8090,
      autoscalerMetrics: 44217,
      dashboardMetrics: 44227,
      firstWorker: 11000,
      lastWorker: 11999,
    };
  }
  return {
    gcs: base,
    dashboard: base + 1,
    client: base + 2,
    nodeManager: base + 3,
    objectManager: base + 4,
    runtimeEnvAgent: base + 5,
    agentHttp: base + 6,
    agentGrpc: base + 7,
    metrics: base + 8,
    autoscalerMetrics: base + 9,
    dashboardMetrics: base + 10,
    firstWorker: base + FIRST_WORKER_OFFSET,
    lastWorker: base + BLOCK - 1,
  };
}
