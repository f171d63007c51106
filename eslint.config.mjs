// The house rules that a machine can check; the reasons are in CONTRIBUTING.md.
import jupyter from '@jupyter/eslint-plugin';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

const daemon = 'backend-proxy/src';

/** Time, chance and identity come from the injected Clock, Random and ids, so that every race replays from a seed. */
const uncontrolledProperties = [
  { object: 'Date', property: 'now', message: 'Take the injected Clock.' },
  { object: 'performance', property: 'now', message: 'Take the injected Clock.' },
  { object: 'Math', property: 'random', message: 'Take the injected Random.' },
  { object: 'crypto', property: 'randomUUID', message: 'Take the injected ids.' },
  { object: 'crypto', property: 'getRandomValues', message: 'Take the injected Random.' },
];
const uncontrolledGlobals = ['setTimeout', 'setInterval', 'setImmediate'].map(name => ({
  name,
  message: 'Take the injected Clock.',
}));
const uncontrolledSyntax = [
  {
    selector: "NewExpression[callee.name='Date'][arguments.length=0]",
    message: 'Take the injected Clock: new Date() reads the machine’s.',
  },
];
const uncontrolledImports = {
  paths: [
    { name: 'node:timers', message: 'Take the injected Clock.' },
    { name: 'node:timers/promises', message: 'Take the injected Clock.' },
    {
      name: 'node:crypto',
      importNames: ['randomUUID', 'randomBytes', 'randomInt'],
      message: 'Take the injected ids or Random.',
    },
    {
      name: 'node:v8',
      importNames: ['setFlagsFromString'],
      message: 'Flags are said when a process is started (FRUGAL_FLAGS): V8 promises nothing for later ones.',
    },
  ],
  patterns: [],
};

/** SQL stays in the store, so that another database can stand behind the same seam. */
const storeOnly = {
  paths: ['kysely', 'node:sqlite'].map(name => ({
    name,
    message: `Only ${daemon}/store talks to the database.`,
  })),
  patterns: [],
};

/** Providers are met through provider.ts; their names appear in their own folder and in folders.ts, which is made from the folders. */
const providersByRegistry = {
  paths: [],
  patterns: [
    {
      regex: '^(\\.\\./)+(src/)?providers/[^/]+/',
      message: `Only ${daemon}/providers/folders.ts imports a provider’s folder.`,
    },
  ],
};
const noSiblingProvider = {
  paths: [],
  patterns: [
    {
      regex: '^\\./(?!http/)[^/.]+/',
      message: `Only ${daemon}/providers/folders.ts imports a provider’s folder.`,
    },
  ],
};

/**
 * The floors of the daemon, lowest first: a folder imports from itself and from what stands before it. `main.ts` composes
 * them all and stands on none.
 */
const floors = [
  'agent',
  'ledger',
  'store',
  'access',
  'machines',
  'engines',
  'copies',
  'providers',
  'offers',
  'secrets',
  'templates',
  'spend',
  'clusters',
  'jobs',
  'networks',
  'approvals',
  'api',
  'daemon',
  'cli',
];

/** What a stranger's machine calls things is made plain by the places that show it; nothing is shown past them. */
const shownByPlaces = {
  editor: [
    {
      selector:
        ':matches(MemberExpression > .property, ObjectPattern > Property > .key)[name=/^(show(Information|Warning|Error)Message|showQuickPick|showInputBox|createQuickPick|createInputBox|createStatusBarItem|setStatusBarMessage|createOutputChannel|createWebviewPanel|withProgress|MarkdownString)$/]',
      message: 'Show it through messages.ts or screen.ts, which make a stranger’s text plain.',
    },
    {
      selector: "CallExpression[callee.object.property.name='window'][callee.property.name='createTerminal']",
      message: 'Show it through screen.ts, which makes a stranger’s text plain.',
    },
  ],
  page: [
    {
      selector:
        'AssignmentExpression[left.property.name=/^(textContent|innerText|innerHTML|outerHTML|title|data|nodeValue)$/]',
      message: 'Set it through ui/text.ts or base/text.ts, which make a stranger’s text plain.',
    },
    {
      selector:
        'AssignmentExpression[left.property.name=/^(label|caption)$/][left.object.property.name=title], CallExpression[callee.property.name=/^(insertAdjacentHTML|createContextualFragment)$/]',
      message: 'Set it through ui/text.ts or base/text.ts, which make a stranger’s text plain.',
    },
  ],
  terminal: [
    {
      selector: 'MemberExpression[property.name=write][object.property.name=/^std(out|err)$/]',
      message: 'Write it through Io, which makes a stranger’s text plain.',
    },
    {
      selector: 'MemberExpression[object.name=console]',
      message: 'Write it through Io, which makes a stranger’s text plain.',
    },
  ],
};

/** The templates of views, and JupyterLab's notices and dialogs, by way of those that make a stranger's text plain. */
const shownByTemplates = {
  paths: [
    ...['lit', 'lit/html.js', 'lit-html'].map(name => ({
      name,
      importNames: ['html', 'svg'],
      message: 'Take them from shared/views/src/base/html.ts, which makes a stranger’s text plain.',
    })),
    {
      name: '@jupyterlab/apputils',
      importNames: ['Notification', 'Dialog', 'showDialog', 'showErrorMessage', 'InputDialog'],
      message: 'Take them from ui/notify.ts and ui/dialogs.ts, which make a stranger’s text plain.',
    },
  ],
  patterns: [{ regex: 'unsafe-(html|svg|mathml)', message: 'No markup of a stranger’s is rendered.' }],
};

/**
 * ESLint lets a later block replace a rule instead of adding to it, so each zone states all its bans.
 * @param {...{ paths: object[], patterns: object[] }} bans
 * @returns {import('eslint').Linter.RulesRecord}
 */
const restrictImports = (...bans) => ({
  'no-restricted-imports': [
    'error',
    { paths: bans.flatMap(ban => ban.paths), patterns: bans.flatMap(ban => ban.patterns) },
  ],
});

/**
 * The same rule under its other name, so that no zone replaces it. `access/ssh/` imports from floors by `../../`.
 * @returns {import('eslint').Linter.Config[]}
 */
const floorBlocks = () =>
  floors.slice(0, -1).map((floor, index) => ({
    files: [`${daemon}/${floor}/**/*.ts`],
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              regex: `^(\\.\\./)+(${floors.slice(index + 1).join('|')})/`,
              message: `${daemon}/${floor} stands below it: import from ${floors.slice(0, index).join(', ') || 'no other folder'} only.`,
            },
          ],
        },
      ],
    },
  }));

/**
 * The rules of JupyterLab's own lint plugin for TypeScript, without its blocks for other files.
 * @type {import('eslint').Linter.RulesRecord}
 */
const jupyterRules = Object.fromEntries(
  jupyter.configs.recommended
    .filter(({ files }) => files.includes('**/*.ts'))
    .flatMap(({ rules }) => Object.keys(rules).map(rule => [rule, 'error'])),
);

/** Typed for an older ESLint than this one, on which it runs all the same. */
const jupyterPlugin = /** @type {import('eslint').ESLint.Plugin} */ (
  /** @type {unknown} */ ({ rules: jupyter.rules })
);

export default defineConfig(
  {
    ignores: [
      '**/node_modules/**',
      '**/dist/**',
      '**/build/**',
      '.cache/**',
      'jupyter-plugin/lib/**',
      'jupyter-plugin/style/**',
      '**/*.d.ts',
    ],
  },
  {
    files: ['**/*.{ts,mts,mjs,js}'],
    extends: [tseslint.configs.strictTypeChecked],
    linterOptions: { noInlineConfig: true, reportUnusedDisableDirectives: 'off' },
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      curly: ['error', 'multi-line'],
      eqeqeq: 'error',
      'no-console': 'off',
      'no-var': 'error',
      'object-shorthand': 'error',
      'prefer-const': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true, requireDefaultForNonUnion: true },
      ],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      // A number in a message reads as itself; everything else is spelled out.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      // An interface that returns a promise is met by async functions that happen not to wait.
      '@typescript-eslint/require-await': 'off',
      // `while (true)` in a loop that ends by return says what it does.
      '@typescript-eslint/no-unnecessary-condition': [
        'error',
        { allowConstantLoopConditions: 'only-allowed-literals' },
      ],
      // Costs more than any other rule, and what it guards against (a plain object where an instance is wanted) fails here
      // anyway: classes keep their state in #private fields.
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      // There are no enums (erasableSyntaxOnly), and looking for them costs seconds.
      '@typescript-eslint/no-unsafe-enum-assignment': 'off',
      '@typescript-eslint/no-unsafe-enum-comparison': 'off',
      // Type parameters used once still name a relation in a public signature.
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
    },
  },
  {
    // Small programs of no project; those in scripts/ and this file belong to one.
    files: ['**/*.mjs'],
    ignores: ['scripts/**', 'eslint.config.mjs'],
    extends: [tseslint.configs.disableTypeChecked],
  },
  {
    // The real clock, chance and ids are made in one place, shared/platform.
    files: [`${daemon}/**/*.ts`, 'shared/client-node/src/**/*.ts'],
    rules: {
      'no-restricted-properties': ['error', ...uncontrolledProperties],
      'no-restricted-globals': ['error', ...uncontrolledGlobals],
      'no-restricted-syntax': ['error', ...uncontrolledSyntax],
      ...restrictImports(uncontrolledImports, storeOnly, providersByRegistry),
    },
  },
  ...floorBlocks(),
  {
    // What clients and daemon share stands below the daemon.
    files: ['shared/*/src/**/*.ts'],
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              regex: '^@hitch/proxy/|/backend-proxy/',
              message: 'shared/ stands below the daemon: import from shared/ only.',
            },
          ],
        },
      ],
    },
  },
  {
    files: [`${daemon}/providers/*.ts`],
    ignores: [`${daemon}/providers/folders.ts`],
    rules: restrictImports(uncontrolledImports, storeOnly, providersByRegistry, noSiblingProvider),
  },
  {
    files: [`${daemon}/providers/folders.ts`],
    rules: restrictImports(uncontrolledImports, storeOnly),
  },
  {
    files: [`${daemon}/store/**/*.ts`],
    rules: restrictImports(uncontrolledImports, providersByRegistry),
  },
  {
    files: ['shared/ray-client-ts/**/*.ts'],
    rules: {
      // Ray answers 405 to the headers that fetch adds, and its log tail closes silently.
      'no-restricted-globals': [
        'error',
        { name: 'fetch', message: 'Use undici.request: Ray refuses fetch.' },
      ],
      'no-restricted-imports': [
        'error',
        {
          paths: [
            { name: 'undici', importNames: ['fetch'], message: 'Use undici.request: Ray refuses fetch.' },
          ],
        },
      ],
    },
  },
  {
    // What JupyterLab's own developers ask of a plugin.
    files: ['jupyter-plugin/src/**/*.ts'],
    // Programs of their own, which JupyterLab never loads.
    ignores: ['jupyter-plugin/src/frame/**'],
    plugins: { jupyter: jupyterPlugin },
    rules: jupyterRules,
  },
  {
    // JupyterLab starts with the managers of kernels, and they with the clusters: nothing of them can wait.
    files: ['jupyter-plugin/src/{clusters,kernels}/plugin.ts'],
    rules: { 'jupyter/prefer-lazy-imports': ['error', { ignoreImports: ['./*', '../outputs/*'] }] },
  },
  {
    files: [`${daemon}/cli/**/*.ts`],
    // ssh-proxy and ws-connect carry the bytes of ssh, and say their own sentences by the same functions.
    ignores: [`${daemon}/cli/screen/**`, `${daemon}/cli/ssh-streams.ts`],
    rules: { 'no-restricted-syntax': ['error', ...uncontrolledSyntax, ...shownByPlaces.terminal] },
  },
  {
    files: ['extension/src/**/*.ts'],
    ignores: ['extension/src/vscode/messages.ts', 'extension/src/vscode/screen.ts'],
    rules: { 'no-restricted-syntax': ['error', ...shownByPlaces.editor] },
  },
  {
    files: ['jupyter-plugin/src/**/*.ts', 'shared/views/src/**/*.ts', 'extension/src/page/**/*.ts'],
    ignores: ['shared/views/src/base/html.ts', 'jupyter-plugin/src/ui/{dialogs,notify}.ts'],
    rules: restrictImports(shownByTemplates),
  },
  {
    files: ['jupyter-plugin/src/**/*.ts', 'shared/views/src/**/*.ts'],
    ignores: [
      'jupyter-plugin/src/ui/text.ts',
      'shared/views/src/base/text.ts',
      // What a stranger draws in a frame without an origin is a stranger's already, and so is what it looks like.
      'jupyter-plugin/src/frame/**',
    ],
    rules: { 'no-restricted-syntax': ['error', ...shownByPlaces.page] },
  },
  {
    // The editor's interface is met in one folder, so that the logic beside it runs and is tested without an editor.
    files: ['extension/src/**/*.ts'],
    ignores: ['extension/src/vscode/**', 'extension/src/extension.ts'],
    rules: restrictImports(
      {
        paths: [{ name: 'vscode', message: 'Only extension/src/vscode and extension.ts import vscode.' }],
        patterns: [],
      },
      shownByTemplates,
    ),
  },
  {
    files: ['**/*.test.ts', 'test/**/*.ts', '**/test/**/*.ts'],
    rules: {
      // node:assert's functions narrow by assertion, and a test may check what the types already promise.
      '@typescript-eslint/no-unnecessary-condition': 'off',
    },
  },
);
