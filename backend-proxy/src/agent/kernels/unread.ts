/** What Jupyter Server could not keep for an agent that did not read: which cells miss something, and what they say. */
import { noticeFrame, unreadSentence } from '@hitch/contract';
import * as z from 'zod';

const unreadSchema = z.object({
  /** Id of the last message that was dropped: who has that has lost none. */
  last: z.string(),
  cells: z.array(z.object({ parent: z.string(), session: z.string(), bytes: z.number() })),
});
export type Unread = z.infer<typeof unreadSchema>;

const WORDS = /^hitch-lost (\{.*\})$/;

/** Null where the text says something else. */
export function readUnread(text: string): Unread | null {
  const [, json] = WORDS.exec(text) ?? [];
  return json === undefined ? null : unreadSchema.parse(JSON.parse(json));
}

/** A line on standard error for each cell. */
export function unreadNotices(
  { last, cells }: Unread,
  stamp: { readonly newId: () => string; readonly date: string },
): Uint8Array[] {
  return cells.map(({ parent, session, bytes }, at) =>
    noticeFrame({
      text: `[Hitch] ${unreadSentence(bytes)}\n`,
      lostBytes: bytes,
      // By that id it is known to be said when Jupyter Server says it again.
      messageId: at === cells.length - 1 ? last : stamp.newId(),
      parentId: parent,
      parentSession: session,
      date: stamp.date,
    }),
  );
}
