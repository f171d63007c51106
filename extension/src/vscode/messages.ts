/** Every message that the extension shows, so that none of them can forget to make its text plain. */
import * as vscode from 'vscode';
import { editorLine, editorText } from '@hitch/contract/src/shown/places.ts';

/** The button that was pressed; undefined: none. */
type Pressed = Thenable<string | undefined>;

type Show = (
  text: string,
  options: vscode.MessageOptions,
  ...buttons: string[]
) => Thenable<string | undefined>;

function message(
  show: Show,
  text: string,
  options: vscode.MessageOptions,
  buttons: readonly string[],
): Pressed {
  const shown = buttons.map(editorLine);
  return show(editorText(text), options, ...shown).then(pressed =>
    pressed === undefined ? undefined : buttons[shown.indexOf(pressed)],
  );
}

export const inform = (text: string, ...buttons: readonly string[]): Pressed =>
  message(vscode.window.showInformationMessage, text, {}, buttons);

export const warn = (text: string, ...buttons: readonly string[]): Pressed =>
  message(vscode.window.showWarningMessage, text, {}, buttons);

export const fail = (text: string, ...buttons: readonly string[]): Pressed =>
  message(vscode.window.showErrorMessage, text, {}, buttons);

/** A dialog whose first button has the focus. */
export const ask = (question: string, detail: string, ...buttons: readonly string[]): Pressed =>
  message(vscode.window.showWarningMessage, question, { modal: true, detail: editorText(detail) }, buttons);

/** The same about something that is no danger. */
export const propose = (question: string, detail: string, ...buttons: readonly string[]): Pressed =>
  message(
    vscode.window.showInformationMessage,
    question,
    { modal: true, detail: editorText(detail) },
    buttons,
  );
