/**
 * The part of RunPod's GraphQL that its Python SDK 1.11 asks for (`runpod/api/queries/*.py`, `runpod/api/mutations/pods.py`),
 * that dstack asks for on the community cloud (`backends/runpod/api_client.py`, `_generate_pod_deployment_mutation`), and the
 * balance (docs, "Manage Pods" and Billing). Types of answers are those that the SDK and its documentation show. Stopping,
 * resuming, CPU pods and bids are not simulated: a query for them is refused as one for a field that there is not.
 */
import { buildSchema } from 'graphql';

export const RUNPOD_GRAPHQL = buildSchema(/* GraphQL */ `
  scalar Void

  type Query {
    gpuTypes(input: GpuTypeFilter): [GpuType]
    myself: User
    pod(input: PodFilter): Pod
  }
  type Mutation {
    podFindAndDeployOnDemand(input: PodFindAndDeployOnDemandInput): Pod
    podTerminate(input: PodTerminateInput!): Void
  }

  input GpuTypeFilter {
    id: String
  }
  input GpuLowestPriceInput {
    gpuCount: Int
  }
  input PodFilter {
    podId: String
  }
  input PodTerminateInput {
    podId: String!
  }
  enum CloudTypeEnum {
    ALL
    SECURE
    COMMUNITY
  }
  input EnvironmentVariableInput {
    key: String!
    value: String!
  }
  input PodFindAndDeployOnDemandInput {
    name: String
    imageName: String
    gpuTypeId: String
    gpuCount: Int
    cloudType: CloudTypeEnum
    containerDiskInGb: Int
    containerRegistryAuthId: String
    volumeInGb: Int
    volumeMountPath: String
    networkVolumeId: String
    minVcpuCount: Int
    minMemoryInGb: Int
    minDownload: Int
    minUpload: Int
    minCudaVersion: String
    allowedCudaVersions: [String]
    supportPublicIp: Boolean
    startSsh: Boolean
    dataCenterId: String
    countryCode: String
    dockerArgs: String
    ports: String
    env: [EnvironmentVariableInput]
    templateId: String
  }

  type GpuType {
    id: String
    displayName: String
    manufacturer: String
    memoryInGb: Int
    cudaCores: Int
    maxGpuCount: Int
    secureCloud: Boolean
    communityCloud: Boolean
    securePrice: Float
    communityPrice: Float
    oneWeekPrice: Float
    oneMonthPrice: Float
    threeMonthPrice: Float
    secureSpotPrice: Float
    communitySpotPrice: Float
    lowestPrice(input: GpuLowestPriceInput): LowestPrice
  }
  type LowestPrice {
    minimumBidPrice: Float
    uninterruptablePrice: Float
  }
  type User {
    id: String
    email: String
    pubKey: String
    clientBalance: Float
    currentSpendPerHr: Float
    spendLimit: Int
    networkVolumes: [NetworkVolume]
    pods: [Pod]
  }
  type NetworkVolume {
    id: String
    name: String
    size: Int
    dataCenterId: String
  }
  type Pod {
    id: String
    name: String
    imageName: String
    env: [String]
    ports: String
    port: Int
    dockerArgs: String
    dockerId: String
    containerDiskInGb: Int
    volumeInGb: Float
    volumeMountPath: String
    costPerHr: Float
    desiredStatus: String
    lastStatusChange: String
    gpuCount: Int
    memoryInGb: Float
    vcpuCount: Float
    podType: String
    uptimeSeconds: Int
    machineId: String
    machine: PodMachineInfo
    runtime: PodRuntime
  }
  type PodMachineInfo {
    podHostId: String
    gpuDisplayName: String
  }
  type PodRuntime {
    ports: [PodRuntimePorts]
  }
  type PodRuntimePorts {
    ip: String
    isIpPublic: Boolean
    privatePort: Int
    publicPort: Int
    type: String
  }
`);
