/**
 * Marks what is wrong with a template in its files, each time that one is opened or saved. The daemon judges, so that an
 * editor says what the command line says; no other extension is needed.
 */
import * as vscode from 'vscode';
import { editorLine } from '@hitch/contract/src/shown/places.ts';
import { isTemplateText, marksOf, type Mark } from '../templates/marks.ts';
import { sentence } from '../sentence.ts';
import type { Host, Module } from './module.ts';

const FILE = 'hitch.yaml';

export interface TemplateProblemsApi {
  /** Checks a template's file now; resolves when its marks are there. */
  readonly check: (document: vscode.TextDocument) => Promise<void>;
}

export function createTemplateProblems(host: Host): Module<TemplateProblemsApi> {
  const { model } = host.connection;
  const shown = vscode.languages.createDiagnosticCollection('hitch-template');
  /** The files that were marked for a template's folder, which lose their marks with its next check. */
  const marked = new Map<string, readonly vscode.Uri[]>();
  /** The latest check of each folder: an answer that comes late is not shown over a later one. */
  const asked = new Map<string, number>();

  const clear = (folder: vscode.Uri): void => {
    marked.get(folder.toString())?.forEach(uri => shown.delete(uri));
    marked.delete(folder.toString());
  };

  const check = async (document: vscode.TextDocument): Promise<void> => {
    const folder = vscode.Uri.joinPath(document.uri, '..');
    const key = folder.toString();
    const number = (asked.get(key) ?? 0) + 1;
    asked.set(key, number);
    await model.need();
    const { problems, notes } = await model.client.api.templates.check({
      folder: folder.fsPath,
      text: document.getText(),
    });
    if (asked.get(key) !== number) {
      return;
    }
    const open = (file: string): string | undefined => {
      const uri = vscode.Uri.joinPath(folder, file).toString();
      return vscode.workspace.textDocuments.find(each => each.uri.toString() === uri)?.getText();
    };
    clear(folder);
    const byFile = Map.groupBy(marksOf({ problems, notes }, open), ({ file }) => file);
    const uris = [...byFile].map(([file, marks]) => {
      const uri = vscode.Uri.joinPath(folder, file);
      shown.set(uri, marks.map(diagnostic));
      return uri;
    });
    marked.set(key, uris);
  };

  const look = async (document: vscode.TextDocument, needsDaemon: boolean): Promise<void> => {
    const { uri } = document;
    if (uri.scheme !== 'file' || !uri.path.endsWith(`/${FILE}`) || !isTemplateText(document.getText())) {
      return;
    }
    // Opening a file starts no daemon; saving one is work on it.
    if (!needsDaemon && model.state.connection !== 'live') {
      return;
    }
    try {
      await check(document);
    } catch (error) {
      clear(vscode.Uri.joinPath(uri, '..'));
      host.log.warn('The template could not be checked', sentence(error));
    }
  };

  return {
    api: { check },
    disposables: [
      shown,
      vscode.workspace.onDidOpenTextDocument(document => void look(document, false)),
      vscode.workspace.onDidSaveTextDocument(document => void look(document, true)),
    ],
  };
}

const TO_THE_END = Number.MAX_SAFE_INTEGER;

function diagnostic({ line, from, to, sentence: text, isNote }: Mark): vscode.Diagnostic {
  const range = new vscode.Range(line, from, line, to ?? TO_THE_END);
  const severity = isNote ? vscode.DiagnosticSeverity.Information : vscode.DiagnosticSeverity.Error;
  const made = new vscode.Diagnostic(range, editorLine(text), severity);
  made.source = 'Hitch';
  return made;
}
