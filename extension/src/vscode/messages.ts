/** Every message that the extension shows, so that none of them can forget to make its text plain. */
import * as vscode from 'vscode';
import { plainMessage } from '../plain-message.ts';

/** The button that was pressed; undefined: none. */
type Pressed = Thenable<string | undefined>;

export const inform = (text: string, ...buttons: readonly string[]): Pressed =>
  vscode.window.showInformationMessage(plainMessage(text), ...buttons);

export const warn = (text: string, ...buttons: readonly string[]): Pressed =>
  vscode.window.showWarningMessage(plainMessage(text), ...buttons);

export const fail = (text: string, ...buttons: readonly string[]): Pressed =>
  vscode.window.showErrorMessage(plainMessage(text), ...buttons);

/** A dialog whose first button has the focus. */
export const ask = (question: string, detail: string, ...buttons: readonly string[]): Pressed =>
  vscode.window.showWarningMessage(
    plainMessage(question),
    { modal: true, detail: plainMessage(detail) },
    ...buttons,
  );

/** The same about something that is no danger. */
export const propose = (question: string, detail: string, ...buttons: readonly string[]): Pressed =>
  vscode.window.showInformationMessage(
    plainMessage(question),
    { modal: true, detail: plainMessage(detail) },
    ...buttons,
  );
