/** The one list of what strangers call things. It lies below everything that is tried with it. */
export { NASTY, type NastyString } from '../../shared/contract/test/support/nasty-strings.ts';
