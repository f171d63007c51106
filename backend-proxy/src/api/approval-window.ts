/**
 * `GET /approvals/<id>`: the daemon's own window, where a person says yes to what a page asked for. It is the only
 * document of this origin. A page can open it and nothing more: it may not frame it, it keeps no handle of it, it cannot
 * read what stands in it, and an answer counts only with the secret that stands there.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Approval, approvalIdSchema, type ApprovalId, HitchError } from '@hitch/contract';
import * as z from 'zod';
import type { Approvals } from '../approvals/approvals.ts';
import { failurePage, windowPage } from '../approvals/window-page.ts';
import { readJson } from './body.ts';
import { sendJson, toShownError } from './envelope.ts';
import type { Guard } from './guard.ts';

const PATH = /^\/approvals\/([^/]+)(?:\/(answer|state))?$/;
const MAX_BODY_BYTES = 1024;
const answerSchema = z.object({ secret: z.string().max(200), yes: z.boolean() });

export interface WindowPath {
  readonly id: string;
  readonly part: 'page' | 'answer' | 'state';
}

/** What of the window an address names; null: nothing of it. */
export function windowPathOf({ pathname }: URL): WindowPath | null {
  const [, id, part] = PATH.exec(pathname) ?? [];
  return id === undefined ? null : { id, part: part === 'answer' || part === 'state' ? part : 'page' };
}

export interface WindowDeps {
  readonly approvals: Pick<Approvals, 'get' | 'secretOf' | 'checkSecret' | 'answer' | 'nonce'>;
  readonly guard: Pick<Guard, 'checkOwnOrigin'>;
}

/** The Host and the Origin have been checked. */
export async function answerWindow(
  deps: WindowDeps,
  path: WindowPath,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { approvals, guard } = deps;
  if (path.part === 'page') {
    sendPage(deps, path.id, request, response);
    return;
  }
  const id = idOf(path.id);
  if (path.part === 'state') {
    checkMethod(request, 'GET');
    checkFetched(request, 'cors', 'same-origin');
    sendJson(response, 200, stateOf(approvals.get(id)));
    return;
  }
  checkMethod(request, 'POST');
  guard.checkOwnOrigin(request.headers);
  checkFetched(request, 'cors', 'same-origin');
  const parsed = answerSchema.safeParse(await readJson(request, MAX_BODY_BYTES));
  if (!parsed.success) {
    throw new HitchError('BAD_INPUT', 'An answer is a “secret” and a “yes” that is true or false.');
  }
  approvals.checkSecret(id, parsed.data.secret);
  sendJson(response, 200, stateOf(await approvals.answer(id, parsed.data.yes)));
}

/** As much as the window needs. */
function stateOf({ state, problem }: Approval): object {
  const sentence = problem === null ? null : [problem.message, problem.next ?? ''].join(' ').trim();
  return { state, problem: sentence };
}

function sendPage(
  { approvals }: WindowDeps,
  text: string,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const nonce = approvals.nonce();
  let [status, html] = [200, ''];
  try {
    checkMethod(request, 'GET');
    if (request.headers.authorization !== undefined) {
      throw new HitchError('FORBIDDEN_ORIGIN', 'This window is for a person’s browser.');
    }
    // A browser says so itself, and no script can change it: not into a frame, an object or a fetch.
    checkFetched(request, 'navigate', 'any', 'document');
    const approval = approvals.get(idOf(text));
    html = windowPage({ approval, secret: approvals.secretOf(approval.id), nonce });
  } catch (error) {
    const shown = toShownError(error);
    [status, html] = [shown.status, failurePage({ error: shown, nonce })];
  }
  response.writeHead(status, {
    'content-type': 'text/html; charset=utf-8',
    'content-length': Buffer.byteLength(html),
    'content-security-policy': [
      "default-src 'none'",
      `script-src 'nonce-${nonce}'`,
      `style-src 'nonce-${nonce}'`,
      "connect-src 'self'",
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ].join('; '),
    // Whoever opened it has no handle of it, and no page of the same name can share its origin by `document.domain`.
    'cross-origin-opener-policy': 'same-origin',
    'origin-agent-cluster': '?1',
    // With `no-referrer` some browsers would send the answer with the Origin `null`.
    'referrer-policy': 'same-origin',
  });
  response.end(html);
}

/** @throws HitchError FORBIDDEN_ORIGIN. Browsers that do not send these headers have the other checks. */
function checkFetched(
  { headers }: IncomingMessage,
  mode: string,
  site: 'same-origin' | 'any',
  destination?: string,
): void {
  const wrong = (name: string, wanted: string): boolean => {
    const said = headers[`sec-fetch-${name}`];
    return said !== undefined && said !== wanted;
  };
  if (
    wrong('mode', mode) ||
    (site !== 'any' && wrong('site', site)) ||
    (destination !== undefined && wrong('dest', destination))
  ) {
    throw new HitchError('FORBIDDEN_ORIGIN', 'This is for a window of its own, which a person looks at.');
  }
}

function checkMethod({ method }: IncomingMessage, wanted: string): void {
  if (method !== wanted) {
    throw new HitchError('BAD_INPUT', `This address takes ${wanted}.`);
  }
}

/** @throws HitchError NOT_FOUND */
function idOf(text: string): ApprovalId {
  const id = approvalIdSchema.safeParse(text);
  if (!id.success) {
    throw new HitchError('NOT_FOUND', 'There is no such request.', { next: 'Ask for it again.' });
  }
  return id.data;
}
