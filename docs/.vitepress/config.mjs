// The documentation site. Pages are plain Markdown, so that they read as well in the repository and in an editor.

/** @param {string} text @param {string} link */
const page = (text, link) => ({ text, link });

export default {
  lang: 'en-GB',
  title: 'Hitch',
  description: 'Rent GPUs from decentralised networks and use them without leaving the notebook',
  outDir: '../dist/docs',
  cacheDir: '../.cache/docs-site',
  cleanUrls: false,
  // A link that leads nowhere ends the build.
  ignoreDeadLinks: false,
  themeConfig: {
    search: { provider: 'local' },
    outline: [2, 3],
    sidebar: [
      {
        text: 'First ten minutes',
        items: [
          page('In JupyterLab', '/start/jupyterlab'),
          page('In VS Code', '/start/vscode'),
          page('In a terminal', '/start/terminal'),
        ],
      },
      {
        text: 'How it works',
        items: [
          page('Concepts', '/concepts'),
          page('How money is counted', '/money'),
          page('Templates and jobs', '/templates-and-jobs'),
          page('Security', '/security'),
          page('Troubleshooting', '/troubleshooting'),
        ],
      },
      {
        text: 'Reference',
        items: [
          page('Commands', '/reference/commands'),
          page('Settings', '/reference/settings'),
          page('Errors and exit codes', '/reference/errors'),
          page('Environment variables', '/reference/environment'),
        ],
      },
      {
        text: 'For developers',
        items: [
          page('Add a network', '/adding-a-network'),
          page('Decision records', '/decisions/'),
          page('Figures', '/figures'),
        ],
      },
    ],
  },
};
