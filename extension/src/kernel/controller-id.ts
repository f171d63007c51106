/**
 * The id that Jupyter's extension gives to the controller of a kernel on one of our servers. Nothing in its API says it,
 * and only with it can a notebook be given a kernel without a question. It follows `generateIdFromRemoteProvider` and
 * `computeServerId` (vscode-jupyter, `src/kernels/jupyter/jupyterUtils.ts`) and `getKernelId` (`src/kernels/helpers.ts`),
 * unchanged from 2025.2 to 2026.6. Should another version compute another id, no controller has ours, and the person
 * chooses in Jupyter's own list.
 */
import { createHash } from 'node:crypto';
import * as z from 'zod';

const specSchema = z.object({
  name: z.string(),
  spec: z.object({ argv: z.array(z.string()), display_name: z.string(), language: z.string() }),
});
export const kernelSpecsSchema = z.object({
  default: z.string().catch(''),
  kernelspecs: z.record(z.string(), specSchema),
});
export type KernelSpecs = z.infer<typeof kernelSpecsSchema>;
export type KernelSpec = z.infer<typeof specSchema>;

/** How Jupyter's extension names one server of a collection. */
export interface ServerHandle {
  readonly extensionId: string;
  readonly collectionId: string;
  readonly serverId: string;
}

/** What differs between operating systems: the editor's, since Jupyter's extension runs beside this one. */
export interface PathRules {
  readonly isWindows: boolean;
  /** `Uri.file(path).fsPath`. */
  readonly fsPath: (path: string) => string;
}

export function controllerIdOf(handle: ServerHandle, { name, spec }: KernelSpec, rules: PathRules): string {
  const { extensionId, collectionId, serverId } = handle;
  const server = `https://remote/?id=${collectionId}&uriHandle=${encodeURI(serverId)}&extensionId=${encodeURI(extensionId)}`;
  const hash = createHash('sha256').update(server).digest('hex');
  const isPython = spec.language.toLowerCase() === 'python';
  const words = isPython
    ? spec.argv.slice(1).filter(word => word !== '-f' && word !== '{connection_file}')
    : spec.argv;
  const program = programPath(spec.argv[0] ?? '', rules);
  return `${hash}..${name}.${program}.${programPath('', rules)}.${words.join('#').toLowerCase()}`;
}

/** `getNormalizedInterpreterPath` and `getFilePath`: `/x/bin/python` and `/x/python` count as one. */
function programPath(program: string, { isWindows, fsPath }: PathRules): string {
  const path = fsPath(program);
  if (isWindows) {
    return /^\\[^\\]/.test(path) ? path.slice(1) : path;
  }
  return path.endsWith('/bin/python') && path.split('/').length > 4
    ? path.replace('/bin/python', '/python')
    : path;
}

/** As VS Code's serializer of notebooks keeps it. */
const notebookSchema = z.object({
  metadata: z.object({
    kernelspec: z.object({ name: z.string(), language: z.string() }).partial().optional(),
    language_info: z.object({ name: z.string() }).partial().optional(),
  }),
});

/** @param cells what its cells are written in, where the notebook itself says nothing. */
export function wishOf(metadata: unknown, cells: string): KernelWish {
  const parsed = notebookSchema.safeParse(metadata);
  const { kernelspec, language_info: info } = parsed.success ? parsed.data.metadata : {};
  const language = kernelspec?.language ?? info?.name ?? cells;
  return { name: kernelspec?.name ?? '', language: language.toLowerCase() };
}

export interface KernelWish {
  readonly name: string;
  readonly language: string;
}

/** The kernel that a notebook names, else the first of its language; null where there is none of it. */
export function chooseSpec(
  { default: preferred, kernelspecs }: KernelSpecs,
  wish: KernelWish,
): KernelSpec | null {
  const speaks = (spec: KernelSpec | undefined): spec is KernelSpec =>
    spec !== undefined && spec.spec.language.toLowerCase() === wish.language;
  const named = kernelspecs[wish.name];
  const usual = kernelspecs[preferred];
  return named ?? (speaks(usual) ? usual : (Object.values(kernelspecs).find(speaks) ?? null));
}
