/** How a view gets its words in a person's language: hosts give it their own translation. */
export { asWritten, type Translate } from '@hitch/contract';
