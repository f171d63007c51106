/** Prime Intellect's pods as instances. */
import { cutText } from '@hitch/contract';
import type { Got, Instance, InstanceStatus, SshAddress } from '../provider.ts';
import { gpuName } from './offers.ts';
import type { PastPod, Pod } from './shapes.ts';

const LONGEST_WORDS = 200;

/**
 * `ACTIVE` is said while it is installed still: it runs once that is finished (`commands/pods.py`, `_format_pod_for_status` and
 * `_format_pod_for_list`), and once it says where ssh leads.
 */
function statusOf(pod: Pod): InstanceStatus {
  switch (pod.status.toUpperCase()) {
    case 'PROVISIONING':
    case 'PENDING':
      return 'booting';
    case 'ACTIVE':
      return pod.installationFailure !== null
        ? 'stopped'
        : isInstalled(pod) && sshOf(pod) !== null
          ? 'running'
          : 'booting';
    // What is being deleted may be billed until it is not there any more.
    case 'STOPPED':
    case 'ERROR':
    case 'DELETING':
      return 'stopped';
    case 'TERMINATED':
      return 'gone';
    default:
      return 'unknown';
  }
}

const isInstalled = ({ installationStatus: status, installationProgress: progress }: Pod): boolean =>
  status === null ? (progress ?? 100) >= 100 : status.toUpperCase() === 'FINISHED';

/** Such as `root@192.0.2.7 -p 22022` (`commands/pods.py`, `connect`). */
function sshOf({ sshConnection }: Pod): SshAddress | null {
  const place = sshConnection?.find(each => each !== null) ?? '';
  const [, user = '', host = '', port = '22'] =
    /^([^@\s]+)@(\S+?)(?:\s+-p\s+(\d{1,5}))?$/.exec(place.trim()) ?? [];
  return host === '' ? null : { kind: 'rented', host, port: Number(port), user, hostKeys: null };
}

export function instanceOf(pod: Pod): Instance {
  const status = statusOf(pod);
  return {
    id: pod.id,
    mark: pod.name,
    status,
    members:
      status === 'gone'
        ? []
        : [
            {
              id: pod.id,
              rank: 0,
              status,
              ssh: status === 'running' ? sshOf(pod) : null,
              privateAddress: null,
            },
          ],
    rates:
      pod.priceHr === null ? [] : [{ label: 'Machine', perHourMicroUsd: pod.priceHr, fromMs: pod.createdAt }],
    ...gotOf(pod),
    message: messageOf(pod),
  };
}

/**
 * What a pod says that it has. Its `gpuName` is the type of an offer (the client reads it as `gpu_type`: `api/pods.py`, `Pod`);
 * what is not written as types are says nothing. Whose house it stands in it does not say.
 */
function gotOf({ gpuName: type, gpuCount, isSpot }: Pod): { readonly got?: Got } {
  if (type === null || gpuCount === null || !/^[A-Z0-9]+(?:_[A-Z0-9]+)*$/.test(type)) {
    return {};
  }
  const market = isSpot === null ? null : isSpot ? 'spot' : 'on_demand';
  return {
    got:
      type === 'CPU_NODE' || gpuCount === 0
        ? { gpuModel: null, gpuCount: 0, market, trust: null }
        : { gpuModel: gpuName(type), gpuCount, market, trust: null },
  };
}

function messageOf({ status, installationProgress, installationFailure }: Pod): string {
  const more =
    installationFailure !== null
      ? `, and could not install it: ${cutText(installationFailure.replace(/\s+/g, ' ').trim(), LONGEST_WORDS).replace(/\.$/, '')}`
      : installationProgress !== null && installationProgress < 100
        ? `, installed to ${Math.round(installationProgress).toString()} %`
        : '';
  return `Prime Intellect says: ${cutText(status, 60)}${more}.`;
}

export const goneInstance = (id: string): Instance => ({
  id,
  mark: null,
  status: 'gone',
  members: [],
  rates: [],
  message: `Prime Intellect knows no ${id}.`,
});

/** What its history tells of one that is over. */
export const pastInstance = ({ id, name, createdAt, terminatedAt, priceHr }: PastPod): Instance => ({
  ...goneInstance(id),
  mark: name,
  rates: priceHr === null ? [] : [{ label: 'Machine', perHourMicroUsd: priceHr, fromMs: createdAt }],
  ...(terminatedAt === null ? {} : { billedUntilMs: terminatedAt }),
  message: 'Prime Intellect rented it and ended it.',
});
