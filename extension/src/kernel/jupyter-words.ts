/** Why notebooks cannot run on clusters in this window, in one sentence each. */

/** Windows whose notebooks run elsewhere: Jupyter is over there, this extension on the laptop. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  'ssh-remote': 'over SSH',
  wsl: 'in WSL',
  'dev-container': 'in a dev container',
  'attached-container': 'in a container',
  codespaces: 'in a codespace',
};

/** @param remoteName what VS Code calls the kind of this window; undefined for a local one. */
export function whyNoJupyter(remoteName: string | undefined): string {
  const elsewhere = remoteName === undefined ? undefined : ELSEWHERE[remoteName];
  return elsewhere === undefined
    ? 'Notebooks need the Jupyter extension: install “Jupyter” by Microsoft, then reload this window.'
    : `This window works ${elsewhere}, where its notebooks run: to run one on a cluster, open it in a local window.`;
}

export const TOO_OLD =
  'The Jupyter extension is too old to take kernels from others: update it, then reload this window.';
