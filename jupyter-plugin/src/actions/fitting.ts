/** What a notification shows of a message. */
import { shownText } from '@hitch/contract';

/** JupyterLab cuts a notification's message here. */
const LONGEST = 140;

/** As many whole sentences as a notification shows. What a machine named in them neither hides nor turns anything. */
export function fitting(said: string): string {
  const message = shownText(said);
  if (message.length <= LONGEST) {
    return message;
  }
  const sentences = message.split(/(?<=[.!?])\s+/);
  let text = '';
  for (const sentence of sentences) {
    const longer = text === '' ? sentence : `${text} ${sentence}`;
    if (longer.length > LONGEST) {
      break;
    }
    text = longer;
  }
  return text === '' ? `${message.slice(0, LONGEST - 1)}…` : text;
}
