/** What `ssh` and editors call a machine. Alone in its file: an editor that starts needs no more than this of ssh. */

/** The head's alias; node 1 of the same cluster is `hitch-<name>.1`. It stays as long as the cluster has its name. */
export const sshAlias = (clusterName: string, nodeIndex = 0): string =>
  `hitch-${clusterName}${nodeIndex === 0 ? '' : `.${nodeIndex.toString()}`}`;

/** What {@link sshAlias} was made of; null for a host that is none of ours. */
export function readSshAlias(
  alias: string,
): { readonly clusterName: string; readonly nodeIndex: number } | null {
  const [, clusterName, index] = /^hitch-([a-z][a-z0-9-]*)(?:\.([1-9]\d{0,3}))?$/.exec(alias) ?? [];
  return clusterName === undefined ? null : { clusterName, nodeIndex: Number(index ?? 0) };
}
