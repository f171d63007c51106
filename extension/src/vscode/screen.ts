/**
 * Everything else of the editor that shows a text: pickers, inputs, progress, trees, terminals, tabs, the status bar, the
 * log. All of it is made here, so that no text of a stranger gets there as it came; the linter knows no other place.
 */
import * as vscode from 'vscode';
import { editorLine, editorText } from '@hitch/contract/src/shown/places.ts';
import { type Item, logWords, shownItem } from '../shown/items.ts';

interface Picked<T> extends vscode.QuickPickItem {
  readonly of: T;
}

const pickedOf = <T extends Item>(item: T): Picked<T> => ({ ...shownItem(item), of: item });

/** One of some things; undefined: none. */
export async function pickOne<T extends Item>(
  items: readonly T[],
  { title, placeholder }: { readonly title: string; readonly placeholder?: string },
): Promise<T | undefined> {
  const picked = await vscode.window.showQuickPick(items.map(pickedOf), {
    title: editorLine(title),
    ...(placeholder === undefined ? {} : { placeHolder: editorLine(placeholder) }),
  });
  return picked?.of;
}

export interface Question {
  readonly title: string;
  readonly prompt: string;
  readonly placeholder?: string;
  readonly value?: string;
  /** A sentence when it cannot be taken. */
  readonly check?: (text: string) => string | undefined;
}

/** A line that a person types; undefined: given up. */
export const askLine = ({
  title,
  prompt,
  placeholder,
  value,
  check,
}: Question): Thenable<string | undefined> =>
  vscode.window.showInputBox({
    title: editorLine(title),
    // The prompt of an input may hold links that run commands.
    prompt: editorLine(prompt),
    ...(placeholder === undefined ? {} : { placeHolder: editorLine(placeholder) }),
    ...(value === undefined ? {} : { value }),
    ...(check === undefined
      ? {}
      : {
          validateInput: text => {
            const problem = check(text);
            return problem === undefined ? undefined : editorLine(problem);
          },
        }),
  });

/** A step of a wizard that is one of some things. */
export interface Picker<T extends Item> {
  readonly input: vscode.QuickInput & Pick<vscode.QuickPick<Picked<T>>, 'buttons' | 'onDidTriggerButton'>;
  show(items: readonly T[]): void;
  /** The one that has the focus. */
  active(): T | undefined;
  activate(wanted: (item: T) => boolean): void;
  onDidAccept(run: (item: T) => void): vscode.Disposable;
}

export function createPicker<T extends Item>(title: string, placeholder: string): Picker<T> {
  const input = vscode.window.createQuickPick<Picked<T>>();
  input.title = editorLine(title);
  input.placeholder = editorLine(placeholder);
  input.matchOnDescription = true;
  input.matchOnDetail = true;
  return {
    input,
    show: items => {
      input.items = items.map(pickedOf);
    },
    active: () => input.activeItems[0]?.of,
    activate: wanted => {
      const found = input.items.find(({ of }) => wanted(of));
      if (found !== undefined) {
        input.activeItems = [found];
      }
    },
    onDidAccept: run =>
      input.onDidAccept(() => {
        const [item] = input.selectedItems;
        if (item !== undefined) {
          run(item.of);
        }
      }),
  };
}

/** A step of a wizard that is a line. Its `validationMessage` is set by {@link setProblem}. */
export function createLineInput({
  title,
  prompt,
  placeholder = '',
  value = '',
}: Omit<Question, 'check'>): vscode.InputBox {
  const input = vscode.window.createInputBox();
  input.title = editorLine(title);
  input.prompt = editorLine(prompt);
  input.placeholder = editorLine(placeholder);
  input.value = value;
  return input;
}

export function setProblem(input: vscode.InputBox, problem: string | null): void {
  input.validationMessage = problem === null ? undefined : editorLine(problem);
}

export interface Going {
  readonly cancelled: vscode.CancellationToken;
  /** @param morePercent since the last time. */
  readonly report: (message: string, morePercent?: number) => void;
}

/** In a notification with a way out, or quietly in the status bar. */
export const withProgress = <T>(
  where: 'notification' | 'status bar',
  title: string,
  run: (going: Going) => Thenable<T>,
): Thenable<T> =>
  vscode.window.withProgress(
    {
      location:
        where === 'notification' ? vscode.ProgressLocation.Notification : vscode.ProgressLocation.Window,
      title: editorLine(title),
      cancellable: where === 'notification',
    },
    (progress, cancelled) =>
      run({
        cancelled,
        report: (message, increment) =>
          progress.report({
            message: editorLine(message),
            ...(increment === undefined ? {} : { increment }),
          }),
      }),
  );

export interface StatusItem extends vscode.Disposable {
  /** @param icon a codicon before the text. */
  set(text: string, icon: string, spoken: string, warns: boolean): void;
  /** @param markdown whose texts of strangers went through `markdownLine`. @param commands that its links may run. */
  setTooltip(markdown: string, commands: readonly string[]): void;
  show(): void;
  hide(): void;
}

export function createStatusItem(options: {
  readonly id: string;
  readonly name: string;
  readonly command: string;
  readonly priority: number;
}): StatusItem {
  const item = vscode.window.createStatusBarItem(
    options.id,
    vscode.StatusBarAlignment.Left,
    options.priority,
  );
  item.name = options.name;
  item.command = options.command;
  return {
    set: (text, icon, spoken, warns) => {
      item.text = `$(${icon}) ${editorLine(text)}`;
      item.accessibilityInformation = { label: editorLine(spoken), role: 'button' };
      item.backgroundColor = warns ? new vscode.ThemeColor('statusBarItem.warningBackground') : undefined;
    },
    setTooltip: (markdown, commands) => {
      const tooltip = new vscode.MarkdownString(markdown);
      tooltip.isTrusted = { enabledCommands: [...commands] };
      item.tooltip = tooltip;
    },
    show: () => item.show(),
    hide: () => item.hide(),
    dispose: () => item.dispose(),
  };
}

/** A terminal's tab: VS Code reads icons in it. */
export const createTerminal = (
  options: (vscode.TerminalOptions | vscode.ExtensionTerminalOptions) & { readonly name: string },
): vscode.Terminal => {
  const shown = { ...options, name: editorLine(options.name) };
  return 'pty' in shown ? vscode.window.createTerminal(shown) : vscode.window.createTerminal(shown);
};

/** A view's words above its rows; '' for none. */
export function setMessage(view: Pick<vscode.TreeView<unknown>, 'message'>, message: string): void {
  view.message = editorText(message);
}

export const createPanel = (
  kind: string,
  title: string,
  options: vscode.WebviewOptions,
): vscode.WebviewPanel =>
  vscode.window.createWebviewPanel(kind, editorLine(title), vscode.ViewColumn.Active, options);

/** What the extension writes into its log. A line of a stranger's is not one of its own. */
export interface Log {
  debug(message: string, detail?: unknown): void;
  info(message: string, detail?: unknown): void;
  warn(message: string, detail?: unknown): void;
  error(message: string, detail?: unknown): void;
  show(): void;
  dispose(): void;
}

export function createLog(name: string): Log {
  const channel = vscode.window.createOutputChannel(name, { log: true });
  const write = (level: 'debug' | 'info' | 'warn' | 'error') => (message: string, detail?: unknown) => {
    channel[level](editorLine(message), ...(detail === undefined ? [] : [logWords(detail)]));
  };
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    show: () => channel.show(),
    dispose: () => channel.dispose(),
  };
}
