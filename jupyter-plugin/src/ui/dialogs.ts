/** JupyterLab's dialogs: titles, texts and buttons made plain. A body that is a widget makes its own text so. */
import { shownLine, shownText } from '@hitch/contract';
import { Dialog, InputDialog, showDialog, showErrorMessage } from '@jupyterlab/apputils';

export { Dialog };

const plain = <Options extends Partial<Dialog.IOptions<unknown>>>({
  title,
  body,
  buttons,
  ...rest
}: Options) => ({
  ...rest,
  ...(title === undefined ? {} : { title: typeof title === 'string' ? shownLine(title) : title }),
  ...(body === undefined ? {} : { body: typeof body === 'string' ? shownText(body) : body }),
  ...(buttons === undefined
    ? {}
    : { buttons: buttons.map(button => ({ ...button, label: shownLine(button.label) })) }),
});

export const showQuestion = <T>(options: Partial<Dialog.IOptions<T>>): Promise<Dialog.IResult<T>> =>
  // The body is the one that was given, or its text.
  showDialog<T>(plain(options) as Partial<Dialog.IOptions<T>>);

export const showProblem = (title: string, sentence: string): Promise<void> =>
  showErrorMessage(shownLine(title), shownText(sentence));

/** A line that a person types, or changes; null: given up. */
export async function askText(title: string, label: string, text = ''): Promise<string | null> {
  const { value } = await InputDialog.getText({ title: shownLine(title), label: shownLine(label), text });
  return value;
}

/** One of some texts; null: none. */
export async function askItem(title: string, items: readonly string[]): Promise<string | null> {
  const shown = items.map(shownLine);
  const { value } = await InputDialog.getItem({ title: shownLine(title), items: shown });
  return value === null ? null : (items[shown.indexOf(value)] ?? null);
}
