/** Steps of quick picks and input boxes with a back button. Each step's answer says where to go. */
import * as vscode from 'vscode';
import type { Item } from '../shown/items.ts';
import { createLineInput, createPicker, setProblem } from './screen.ts';

export interface Choice<T> extends Item {
  readonly value: T;
}

export interface Step {
  readonly title: string;
  readonly step: number;
  readonly totalSteps: number;
}

export type Answer<T> =
  { readonly kind: 'value'; readonly value: T } | { readonly kind: 'back' } | { readonly kind: 'cancel' };

const BACK = { kind: 'back' } as const;
const CANCEL = { kind: 'cancel' } as const;

/** Ends an input once, with the first answer; hiding it is giving up. */
function answering<T>(
  input: vscode.QuickInput & { buttons: readonly vscode.QuickInputButton[] },
  listen: (answer: (value: T) => void) => vscode.Disposable[],
  onBack: vscode.Event<vscode.QuickInputButton>,
): Promise<Answer<T>> {
  return new Promise(resolve => {
    const end = (result: Answer<T>): void => {
      resolve(result);
      for (const listener of listeners) {
        listener.dispose();
      }
      input.dispose();
    };
    const listeners = [
      ...listen(value => end({ kind: 'value', value })),
      onBack(button => {
        if (button === vscode.QuickInputButtons.Back) {
          end(BACK);
        }
      }),
      input.onDidHide(() => end(CANCEL)),
    ];
    input.show();
  });
}

/** One step alone is not counted. */
function showStep(input: vscode.QuickInput, { step, totalSteps }: Step): void {
  if (totalSteps > 1) {
    input.step = step;
    input.totalSteps = totalSteps;
  }
}

export interface PickOptions<T> extends Step {
  readonly placeholder: string;
  readonly items: readonly Choice<T>[];
  /** Items that take a while; the list is shown meanwhile. */
  readonly later?: Promise<readonly Choice<T>[]>;
  readonly active?: (item: Choice<T>) => boolean;
}

export function pick<T>(options: PickOptions<T>): Promise<Answer<T>> {
  const picker = createPicker<Choice<T>>(options.title, options.placeholder);
  const { input } = picker;
  showStep(input, options);
  input.ignoreFocusOut = true;
  input.buttons = options.step > 1 ? [vscode.QuickInputButtons.Back] : [];
  picker.show(options.items);
  picker.activate(item => options.active?.(item) === true);
  if (options.later !== undefined) {
    input.busy = true;
    options.later
      .then(items => {
        const was = picker.active();
        picker.show(items);
        picker.activate(({ label }) => label === was?.label);
      })
      .catch(() => undefined)
      .finally(() => {
        input.busy = false;
      });
  }
  return answering<T>(
    input,
    answer => [picker.onDidAccept(({ value }) => answer(value))],
    input.onDidTriggerButton,
  );
}

export interface TextOptions extends Step {
  readonly prompt: string;
  readonly placeholder?: string;
  readonly value?: string;
  /** It is not shown while it is typed, and taken as it is typed. */
  readonly hidden?: boolean;
  /** A sentence when it cannot be taken. */
  readonly check: (text: string) => string | null;
}

export function ask(options: TextOptions): Promise<Answer<string>> {
  const input = createLineInput(options);
  showStep(input, options);
  input.ignoreFocusOut = true;
  input.buttons = options.step > 1 ? [vscode.QuickInputButtons.Back] : [];
  input.password = options.hidden === true;
  const taken = (text: string): string => (input.password ? text : text.trim());
  return answering<string>(
    input,
    answer => [
      input.onDidChangeValue(text => setProblem(input, options.check(taken(text)))),
      input.onDidAccept(() => {
        const text = taken(input.value);
        const problem = options.check(text);
        setProblem(input, problem);
        if (problem === null) {
          answer(text);
        }
      }),
    ],
    input.onDidTriggerButton,
  );
}
